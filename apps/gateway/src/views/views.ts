import type { AlertPhase, StoredAlertEvent } from '#libs/alerting';
import { sortable, type UtcMillis } from '#libs/kernel';
import type { LastConnection } from '#libs/availability';
import type {
  CommandEvent,
  CommandState,
  HeartbeatSignal,
  Parameter,
  PresenceCause,
  RejectionReason,
  StatusSignal,
} from '#libs/telemetry';
import {
  newestArrivalOf,
  readingsOf,
  type LatestReading,
  type LatestReadings,
} from './latest-readings-form.js';

/** An alert from its first transition to its last. */
export interface AlertView {
  readonly latest: StoredAlertEvent;
  readonly history: readonly {
    /** The phase it came into. */
    readonly kind: AlertPhase;
    readonly at: UtcMillis;
    readonly value?: number;
  }[];
}

/** Newest first when listed backwards. */
export function alertViewKey({ since, alert }: StoredAlertEvent): string {
  return alertKey(since, alert);
}

export function alertKey(since: UtcMillis, alert: string): string {
  return `${sortable(since)}/${alert}`;
}

/** What is known of a device now, from both; the arrival is that of its newest message of any kind. */
export function deviceStatus(view: DeviceView | undefined, latest: LatestReadings | undefined): DeviceStatus {
  if (latest === undefined) return view ?? {};
  return {
    ...view,
    latest: readingsOf(latest),
    lastSeen: Math.max(newestArrivalOf(latest), view?.lastSeen ?? 0),
  };
}

export interface DeviceStatus extends DeviceView {
  /** By parameter. */
  readonly latest?: Readonly<Partial<Record<Parameter, LatestReading>>>;
}

/** What is known of a device beside its readings. */
export interface DeviceView {
  readonly presence?: LastConnection & { readonly cause: PresenceCause; readonly session: string };
  /** Connections that were back before anybody had to call it an outage. */
  readonly flaps?: { readonly count: number; readonly lastAt: UtcMillis };
  readonly heartbeat?: Pick<HeartbeatSignal, 'ts' | 'state' | 'stated' | 'reason'>;
  /** The device's own newest birth or death, by arrival; of a connection `presence` is the authority. */
  readonly status?: Pick<StatusSignal, 'ts' | 'state' | 'stated'>;
  /** Arrival of the newest message that is not one of readings. */
  readonly lastSeen?: UtcMillis;
}

/** Key of a {@link RejectionCount}. */
export function rejectionKey(reason: RejectionReason, device: string | undefined): string {
  return `${reason}/${device ?? ''}`;
}

export interface RejectionCount {
  readonly reason: RejectionReason;
  readonly device?: string;
  readonly count: number;
  /** Arrival of the first; unknown where some were counted before there was this member. */
  readonly firstAt?: UtcMillis;
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
