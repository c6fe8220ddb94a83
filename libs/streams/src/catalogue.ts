import type { StoredAlertEvent } from '#libs/alerting';
import {
  OBSERVATION_FORM,
  UPLINK_FORM,
  type CommandEvent,
  type ConfigurationChange,
  type HourlyMean,
  type IdentityChange,
  type Liveness,
  type Observation,
  type Rejection,
  type Rollup,
  type Signal,
  type Uplink,
} from '#libs/telemetry';
import type { AuditEntry } from './audit-entry.js';
import type { StreamDefinition } from './definition.js';
import type { SettingsEntry } from './settings-entry.js';
import { STREAM_SHAPES } from './stream-shapes.js';

const of = <T>(definition: StreamDefinition<T>): StreamDefinition<T> => definition;

/**
 * Every stream of the journal. Whoever appends to one, reads it, waits for it or sets how long it is kept takes its name
 * and the type of its entries from here, so that a wrong one does not compile.
 */
export const STREAMS = {
  uplink: of<Uplink>({
    description: 'A message of a device as it arrived, durable before it is acknowledged.',
    entry: 'Uplink',
    key: 'device',
    appendedBy: ['broker', 'http-intake'],
    retention: 'configured',
    shape: STREAM_SHAPES.uplink,
    intake: true,
    form: UPLINK_FORM,
  }),
  readings: of<Observation>({
    description: 'The readings of a device at one instant, with their quality flags.',
    entry: 'Observation',
    key: 'device',
    appendedBy: ['ingest'],
    retention: 'configured',
    shape: STREAM_SHAPES.readings,
    form: OBSERVATION_FORM,
  }),
  signals: of<Signal>({
    description: 'What is known of the life of a device: heartbeats, connections, states, events.',
    entry: 'Signal',
    key: 'device',
    appendedBy: ['broker', 'ingest'],
    retention: 'configured',
    shape: STREAM_SHAPES.signals,
  }),
  rejected: of<Rejection>({
    description: 'What was refused or set aside, with its bytes, so that nothing is lost.',
    entry: 'Rejection',
    key: 'device or account; empty where nobody is known',
    appendedBy: ['broker', 'ingest', 'writer', 'tiers'],
    retention: 'configured',
    shape: STREAM_SHAPES.rejected,
  }),
  commands: of<CommandEvent>({
    description: 'A command to a device, and what became of it.',
    entry: 'CommandEvent',
    key: 'device',
    appendedBy: ['gateway', 'broker', 'ingest'],
    retention: 'configured',
    shape: STREAM_SHAPES.commands,
  }),
  configurations: of<ConfigurationChange>({
    description: 'The configuration that a device shall have from now on.',
    entry: 'ConfigurationChange',
    key: 'device',
    appendedBy: ['gateway'],
    retention: 'configured',
    shape: STREAM_SHAPES.configurations,
  }),
  alerts: of<StoredAlertEvent>({
    description: 'A step of an alert: pending, firing, resolved, cancelled.',
    entry: 'StoredAlertEvent',
    key: 'device',
    appendedBy: ['alerts'],
    retention: 'configured',
    shape: STREAM_SHAPES.alerts,
  }),
  rollups: of<Rollup>({
    description: 'An hour or a day of a series that is over; comes again when a late reading changes it.',
    entry: 'Rollup',
    key: 'device',
    appendedBy: ['evidence'],
    retention: 'configured',
    shape: STREAM_SHAPES.rollups,
  }),
  neighbourhoods: of<HourlyMean>({
    description: 'The mean of an hour, to be compared with those of the devices nearby.',
    entry: 'HourlyMean',
    key: 'parameter',
    appendedBy: ['evidence'],
    retention: 'configured',
    shape: STREAM_SHAPES.neighbourhoods,
  }),
  liveness: of<Liveness>({
    description: "Pantau's own life, against which silence is judged; in each shard the time passed.",
    entry: 'Liveness',
    key: 'one for all, one for each shard',
    appendedBy: ['broker'],
    retention: 'configured',
    shape: STREAM_SHAPES.liveness,
  }),
  identity: of<IdentityChange>({
    description: "Somebody's access changed; brokers end the connections that it no longer allows.",
    entry: 'IdentityChange',
    key: 'device or account',
    appendedBy: ['identity'],
    retention: 'configured',
    shape: STREAM_SHAPES.identity,
  }),
  settings: of<SettingsEntry>({
    description: 'Registrations and settings with the time from which they hold; figures refer to them.',
    entry: 'SettingsEntry',
    key: 'name of the setting',
    appendedBy: ['identity'],
    retention: 'forever',
    shape: STREAM_SHAPES.settings,
  }),
  audit: of<AuditEntry>({
    description: 'Somebody changed something, or tried to: who, what, on what, from where, with what result.',
    entry: 'AuditEntry',
    key: 'one for all',
    appendedBy: ['identity'],
    retention: 'configured',
    shape: STREAM_SHAPES.audit,
  }),
} as const;

export type StreamName = keyof typeof STREAMS;

/** The type of the entries of each stream. */
export type StreamTypes = {
  readonly [S in StreamName]: (typeof STREAMS)[S] extends StreamDefinition<infer T> ? T : never;
};

export const STREAM_NAMES = Object.keys(STREAMS) as readonly StreamName[];

export function isStreamName(name: string): name is StreamName {
  return Object.hasOwn(STREAMS, name);
}

/** Whether only producers append to it: what comes in from outside. */
export function isIntake(name: string): boolean {
  return isStreamName(name) && 'intake' in STREAMS[name];
}

/** Streams whose retention the configuration may set. */
export const CONFIGURABLE_STREAMS = STREAM_NAMES.filter((name) => STREAMS[name].retention === 'configured');
