import type { AlertPhase, StoredAlertEvent } from '#libs/alerting';
import type { UtcMillis } from '#libs/kernel';
import type { LastConnection } from '#libs/availability';
import type {
  CommandEvent,
  CommandState,
  HeartbeatSignal,
  Observation,
  Parameter,
  PresenceCause,
  QualityFlag,
  RejectionReason,
  StatusSignal,
} from '#libs/telemetry';
import { withMeasurement, type Pace } from './pace.js';

/** The gateway's own read models, kept in the state store by its projection. */
export const ALERT_VIEWS = 'gateway/alerts';
export const DEVICE_VIEWS = 'gateway/devices';
export const LATEST_READINGS = 'gateway/latest';
export const REJECTION_COUNTS = 'gateway/rejected';
export const BROKER_RUNS = 'gateway/broker-runs';
export const COMMAND_VIEWS = 'gateway/commands';
export const CONFIGURATION_VIEWS = 'gateway/configurations';

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
  return `${String(since).padStart(15, '0')}/${alert}`;
}

export interface LatestReading {
  readonly ts: UtcMillis;
  readonly value: number;
  readonly flag: QualityFlag;
}

/**
 * The latest reading of each parameter of a device, apart from {@link DeviceView} and without names, because it is written
 * with nearly every message: the parameters, and the arrival of the newest message followed by instant, value and flag of
 * each.
 */
export type LatestReadings = readonly [
  parameters: readonly Parameter[],
  figures: readonly number[],
  pace?: Pace,
];

/** Numbers of a reading among the figures. */
const FIGURES = 3;

/** Takes a message in. By device time: a late one never moves a value backwards. */
export function withReadings(
  [parameters, figures, pace = []]: LatestReadings,
  { ts, receivedAt, readings, amendment }: Observation,
): LatestReadings {
  let known = parameters;
  const after = figures.slice();
  after[0] = Math.max(receivedAt, figures[0] ?? 0);
  for (const { parameter, value, flag } of readings) {
    const place = known.indexOf(parameter);
    const at = 1 + (place < 0 ? known.length : place) * FIGURES;
    if (ts < (after[at] ?? 0)) continue;
    if (place < 0) known = [...known, parameter];
    after[at] = ts;
    after[at + 1] = value;
    after[at + 2] = flag;
  }
  // One parameter alone: a device may send each in a message of its own, seconds apart.
  const isPaced = amendment !== true && readings.some(({ parameter }) => parameter === known[0]);
  return [known, after, isPaced ? withMeasurement(pace, ts) : pace];
}

/** What is known of a device now, from both; the arrival is that of its newest message of any kind. */
export function deviceStatus(view: DeviceView | undefined, latest: LatestReadings | undefined): DeviceStatus {
  if (latest === undefined) return view ?? {};
  const [parameters, figures] = latest;
  const readings = parameters.map((parameter, place): [Parameter, LatestReading] => {
    const [ts = 0, value = 0, flag = 2] = figures.slice(1 + place * FIGURES);
    return [parameter, { ts, value, flag: flag as QualityFlag }];
  });
  return {
    ...view,
    latest: Object.fromEntries(readings),
    lastSeen: Math.max(figures[0] ?? 0, view?.lastSeen ?? 0),
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
