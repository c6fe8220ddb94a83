import { shardOf, type UtcMillis } from '#libs/kernel';
import type { MeasuredParameter, Parameter } from './parameters.js';
import type { HeartbeatState, StatusState } from './states.js';
import type { TopicKind } from './topics/topics.js';

/**
 * QARTOD data flags (IOOS): 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing. Numbers, because they are stored
 * and exchanged as numbers; never combined by maximum.
 */
export type QualityFlag = 1 | 2 | 3 | 4 | 9;

/** Where an entry stands in the journal: shard and offset within a stream. */
export interface JournalRef {
  readonly shard: number;
  readonly offset: number;
}

/** Stream `uplink`: one message as it arrived, durable before it is acknowledged. */
export interface Uplink {
  readonly site: string;
  readonly device: string;
  /** `foreign`: a payload of another maker, read by a codec. */
  readonly kind: TopicKind | 'foreign';
  /** Codec of a message whose topic does not tell it: one that came over HTTP. */
  readonly codec?: string;
  /** Empty for a message that came over HTTP. */
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly receivedAt: UtcMillis;
  readonly qos: 0 | 1 | 2;
  /** MQTT packet identifier; absent at QoS 0. With `dup` it tells a re-sent QoS 2 message from a new one. */
  readonly messageId: number | undefined;
  readonly dup: boolean;
  /** The connection that carried it; a will belongs to the session that left it. */
  readonly session: string;
  /** True when the broker published it as the session's last will. */
  readonly will: boolean;
  /** A row of a file: measured before it was sent, so that its arrival never stands in for its time. */
  readonly fromFile?: boolean;
}

/** One measured value in the unit of its parameter. */
export interface Reading {
  readonly parameter: Parameter;
  readonly value: number;
  readonly flag: QualityFlag;
  /** Names of the quality tests that did not pass. */
  readonly failed?: readonly string[];
  /** With the test `device`: why the device itself doubts the value, in the words of its maker. */
  readonly doubt?: string;
}

/** Stream `readings`: the readings of one device at one instant. */
export interface Observation {
  readonly site: string;
  readonly device: string;
  /** Device time: the instant that was measured; the time of arrival when the device states none that can be true. */
  readonly ts: UtcMillis;
  readonly receivedAt: UtcMillis;
  /** Set when `ts` is the time of arrival: the device stated no instant, or one that cannot be true. */
  readonly clock?: 'none' | 'wrong';
  /** Set when this says again, with another flag, what an earlier observation said: a later reading showed a spike. */
  readonly amendment?: true;
  readonly seq?: number;
  /** The uplink entry it was decoded from. */
  readonly uplink: JournalRef;
  readonly readings: readonly Reading[];
}

interface SignalBase {
  readonly site: string;
  readonly device: string;
  readonly ts: UtcMillis;
  readonly receivedAt: UtcMillis;
}

/** A device said whether it works. */
export interface HeartbeatSignal extends SignalBase {
  readonly type: 'heartbeat';
  readonly state: HeartbeatState;
  /** The device's own word, where Pantau does not know it. */
  readonly stated?: string;
  readonly reason?: string;
  readonly frames?: number;
  readonly lastFrameAt?: UtcMillis;
  readonly seq?: number;
  readonly uplink: JournalRef;
}

/** How a connection began or ended. */
export type PresenceCause =
  | 'connect'
  | 'clean'
  | 'keepalive'
  | 'takeover'
  | 'lost'
  /** Pantau ended it: a limit, a wrong topic, a revoked access. */
  | 'expelled'
  | 'shutdown';

/** The broker saw a connection begin or end. `session` fences it: an end of an earlier session says nothing about a newer one. */
export interface PresenceSignal extends SignalBase {
  readonly type: 'presence';
  readonly session: string;
  readonly state: 'connected' | 'disconnected';
  readonly cause: PresenceCause;
  /** The longest silence that the connection survives, one and a half times its keep-alive. Milliseconds. */
  readonly silenceMs: number;
  /** The run of the broker that holds it, as in the stream `liveness`. */
  readonly run: string;
}

/** A birth message or last will, with the session that it belongs to. */
export interface StatusSignal extends SignalBase {
  readonly type: 'status';
  readonly session: string;
  readonly state: StatusState;
  /** The device's own word, where Pantau does not know it. */
  readonly stated?: string;
  readonly will: boolean;
  readonly uplink: JournalRef;
}

/** Something that happened at the device. */
export interface EventSignal extends SignalBase {
  readonly type: 'event';
  readonly name: string;
  readonly data?: Readonly<Record<string, string | number | boolean | null>>;
  readonly uplink: JournalRef;
}

/** Stream `signals`: what is known of a device's life. */
export type Signal = HeartbeatSignal | PresenceSignal | StatusSignal | EventSignal;

/** Why a message or a value was refused. Stable codes; the table with remedies is in `docs/rejections.md`. */
export const REJECTION_REASONS = [
  'unknown_device',
  'bad_credentials',
  'revoked',
  'duplicate_identity',
  'topic_not_allowed',
  'subscription_not_allowed',
  'protocol_version',
  'malformed',
  'limit_exceeded',
  'payload_too_large',
  'unreadable',
  'not_json',
  'json_too_deep',
  'schema_violation',
  'number_as_text',
  'not_finite',
  'unknown_parameter',
  'unknown_unit',
  'other_sensor',
  'nothing_to_keep',
  'repeated',
  'timestamp_in_future',
  'timestamp_too_old',
  'too_late',
  'store_refused',
  'handler_failed',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** Why a message or a value is not taken. */
export interface Refusal {
  readonly reason: RejectionReason;
  readonly detail: string;
}

/** Stream `rejected`: what was refused, with the original bytes, so that nothing is lost. */
export interface Rejection {
  readonly reason: RejectionReason;
  /** What was found and what was expected. */
  readonly detail: string;
  readonly receivedAt: UtcMillis;
  readonly site?: string;
  readonly device?: string;
  readonly topic?: string;
  /** Original bytes; only the beginning when `payloadBytes` is larger. */
  readonly payload?: Uint8Array;
  /** Length of the original. */
  readonly payloadBytes?: number;
  /** How many refusals this entry stands for; refusals at the door are counted together. */
  readonly count: number;
  /** The entry it was found in. */
  readonly source?: JournalRef & { readonly stream: string };
}

/** Stream `liveness`: Pantau's own life, so that its own stops are not charged to the devices. */
export interface Liveness {
  readonly component: string;
  /** One run of one process. */
  readonly run: string;
  readonly kind: 'start' | 'beat' | 'stop';
  readonly at: UtcMillis;
  /** Set when another way for devices to be heard was closed meanwhile: what is silent then may have been heard there. */
  readonly partial?: true;
  /** Set in the first record after a time in which devices could not all be heard: it does not continue the one before. */
  readonly resumed?: true;
  /** In a beat that tells one shard that time has passed ({@link beatKeys}); none in the record of Pantau's own life. */
  readonly time?: {
    /** Since when devices could be heard without interruption. */
    readonly heardSince: UtcMillis;
    /** Of each shard of `uplink` the end at that time: what stands before it had arrived. */
    readonly uplinks: readonly number[];
  };
}

/** The key of the entries of `liveness` that record Pantau's own life. */
export const LIVENESS_KEY = '$pantau';

/** For each shard the key of the beats that it gets, so that the stages of every shard learn that time has passed. */
export function beatKeys(shards: number): readonly string[] {
  const keys = new Map<number, string>();
  for (let i = 0; keys.size < shards; i++) {
    const key = `$beat-${i}`;
    const shard = shardOf(key, shards);
    if (!keys.has(shard)) keys.set(shard, key);
  }
  return Array.from({ length: shards }, (_, shard) => keys.get(shard) ?? '');
}

/** Stream `identity`: somebody's access changed; brokers end the connections that it no longer allows. */
export interface IdentityChange {
  /** Device or service account. */
  readonly id: string;
  readonly change: 'rotated' | 'revoked' | 'changed';
  readonly at: UtcMillis;
}

/** What becomes of a command. `expired` and `failed` and `done` are final. */
export type CommandState = 'queued' | 'sent' | 'delivered' | 'done' | 'failed' | 'expired';

/** Stream `commands`: a downlink and what became of it. The first entry of a command carries what is to be sent. */
export interface CommandEvent {
  readonly id: string;
  readonly site: string;
  readonly device: string;
  readonly state: CommandState;
  readonly at: UtcMillis;
  /** With `queued`. */
  readonly command?: {
    readonly name: string;
    readonly params: unknown;
    readonly expiresAt: UtcMillis;
    /** Name of the API token that ordered it. */
    readonly orderedBy: string;
  };
  /** With `done` and `failed`: what the device said. */
  readonly detail?: string;
  /** The uplink entry that it was decoded from. */
  readonly uplink?: JournalRef;
}

/** Stream `configurations`: the configuration that a device shall have, retained on its topic `config`. */
export interface ConfigurationChange {
  readonly site: string;
  readonly device: string;
  readonly at: UtcMillis;
  /** Plain JSON; null takes it away. */
  readonly configuration: unknown;
}

/**
 * Stream `rollups`: an hour or a day of a series that is over, for the down-sampled tiers of the store. Comes again when a
 * late reading changes it; the last one counts. Hours and days without any reading have none.
 */
export interface Rollup {
  readonly site: string;
  readonly device: string;
  readonly parameter: Parameter;
  readonly tier: 'hour' | 'day';
  /** Explicit bounds; a day is a calendar day of the regency. */
  readonly from: UtcMillis;
  readonly to: UtcMillis;
  /** Readings that the device promised for this time; of a day: hours. */
  readonly expected: number;
  readonly received: number;
  /** Of them those that count: they passed or are unusual; of a day: valid hours. */
  readonly valid: number;
  /** Of the valid ones those that are unusual; of a day: hours with any. Absent from roll-ups that are older than this. */
  readonly unusual?: number;
  /** Share of the time that values cover, 0 to 1. */
  readonly covered?: number;
  /** Over time, of the valid ones; null without any. */
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Share of the covered time for which unusual values speak; null without any value. */
  readonly unusualShare?: number | null;
  /** As `valid`, without the unusual values. */
  readonly validWithoutUnusual?: number;
  /** As `mean`, without the unusual values; null when there are no others. */
  readonly meanWithoutUnusual?: number | null;
}

/**
 * Stream `neighbourhoods`: the mean of an hour that is over, to be compared with those of the neighbours. Its key is the
 * parameter and not the device, so that one shard sees all devices of a parameter. Comes again with its hour; the last one
 * counts.
 */
export interface HourlyMean {
  readonly device: string;
  readonly parameter: MeasuredParameter;
  readonly hour: UtcMillis;
  /** In the unit of the parameter; null when no reading of the hour passed, which takes an earlier mean away. */
  readonly mean: number | null;
}
