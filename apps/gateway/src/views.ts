import type { AlertEvent } from '#libs/alerting';
import type { UtcMillis } from '#libs/kernel';
import type { LastConnection } from '#libs/availability';
import type {
  CommandEvent,
  CommandState,
  Parameter,
  PresenceCause,
  QualityFlag,
  RejectionReason,
} from '#libs/telemetry';

/** The gateway's own read models, kept in the state store by its projection. */
export const ALERT_VIEWS = 'gateway/alerts';
export const DEVICE_VIEWS = 'gateway/devices';
export const REJECTION_COUNTS = 'gateway/rejected';
export const BROKER_RUNS = 'gateway/broker-runs';
export const COMMAND_VIEWS = 'gateway/commands';
export const CONFIGURATION_VIEWS = 'gateway/configurations';

/** An alert from its first transition to its last. */
export interface AlertView {
  readonly latest: AlertEvent;
  readonly history: readonly {
    readonly kind: AlertEvent['kind'];
    readonly at: UtcMillis;
    readonly value: number;
  }[];
}

/** Newest first when listed backwards. */
export function alertViewKey({ since, alert }: AlertEvent): string {
  return `${String(since).padStart(15, '0')}/${alert}`;
}

export interface LatestReading {
  readonly ts: UtcMillis;
  readonly value: number;
  readonly flag: QualityFlag;
}

/** What is known of a device now. */
export interface DeviceView {
  /** By device time: a late message never moves a value backwards. */
  readonly latest?: Readonly<Partial<Record<Parameter, LatestReading>>>;
  readonly presence?: LastConnection & { readonly cause: PresenceCause; readonly session: string };
  /** Connections that were back before anybody had to call it an outage. */
  readonly flaps?: { readonly count: number; readonly lastAt: UtcMillis };
  readonly heartbeat?: { readonly ts: UtcMillis; readonly state: 'up' | 'down'; readonly reason?: string };
  /** Arrival of the newest message of any kind. */
  readonly lastSeen?: UtcMillis;
}

export interface RejectionCount {
  readonly reason: RejectionReason;
  readonly device?: string;
  readonly count: number;
  readonly lastAt: UtcMillis;
}

/** A command and what became of it. */
export interface CommandView {
  readonly id: string;
  readonly device: string;
  readonly state: CommandState;
  readonly command: NonNullable<CommandEvent['command']>;
  readonly history: readonly { readonly state: CommandState; readonly at: UtcMillis }[];
  readonly detail?: string;
}

/** Newest first when listed backwards: ids of commands begin with their time. */
export function commandViewKey(device: string, id: string): string {
  return `${device}/${id}`;
}
