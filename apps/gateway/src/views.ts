import type { AlertEvent } from '#libs/alerting';
import type { UtcMillis } from '#libs/kernel';
import type { Parameter, PresenceCause, QualityFlag, RejectionReason } from '#libs/telemetry';

/** The gateway's own read models, kept in the state store by its projection. */
export const ALERT_VIEWS = 'gateway/alerts';
export const DEVICE_VIEWS = 'gateway/devices';
export const REJECTION_COUNTS = 'gateway/rejected';

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
  readonly presence?: {
    readonly state: 'connected' | 'disconnected';
    readonly cause: PresenceCause;
    readonly session: string;
    readonly at: UtcMillis;
  };
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
