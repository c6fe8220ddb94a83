import type { Millis, UtcMillis } from '#libs/kernel';
import type { MeasuredParameter } from './parameters.js';
import type { HeartbeatState, StatusState } from './states.js';
import type { Refusal } from './streams.js';

/** Units in which devices state values; Pantau converts them to the unit of the parameter, codecs never do. */
export const UNITS = ['ug/m3', 'mg/m3', 'ppb', 'ppm', 'degC', 'degF', 'K', '%', 'fraction'] as const;
export type Unit = (typeof UNITS)[number];

/** One value as the device states it. */
export interface Measured {
  readonly parameter: MeasuredParameter;
  readonly value: number;
  /** What the maker documents for this member. A codec that does not know it refuses the value. */
  readonly unit: Unit;
  /** Why the device itself doubts the value, in its maker's words. What it calls bad is refused and is no value. */
  readonly suspect?: string;
  /**
   * Name of the sensor in its housing, as the maker writes it: a block, a channel, a metric. Undefined where the format has one
   * sensor for the parameter, which then has the parameter's own name.
   */
  readonly sensor?: string;
}

/** A good value of a sensor beside the one that counts: it is taken where its sensor is mapped or chosen, otherwise refused. */
export interface OtherSensor {
  readonly measured: Measured;
  readonly refusal: Refusal;
}

interface CodecOutputBase {
  /** Device clock, UTC; undefined when the message states no instant, or one without a zone. Arrival counts then. */
  readonly ts: UtcMillis | undefined;
  /**
   * Name of the device within the message, as the maker writes it, when one message speaks for several; undefined when
   * it is about the device that sent it. Configuration maps it to a device id.
   */
  readonly source?: string;
}

/** Measured values of one instant. */
export interface CodecTelemetry extends CodecOutputBase {
  readonly kind: 'telemetry';
  readonly seq?: number;
  /** At most one value of each parameter; none where all that holds stands in `others`. */
  readonly values: readonly Measured[];
  /** Of further sensors of the same parameters. */
  readonly others?: readonly OtherSensor[];
  /** The message states the last known value of every member, not only of what was measured; `ts` is when something was. */
  readonly repeats?: true;
  /** The air pressure, which is no parameter: with it ppb become µg/m³ when the configuration says so. */
  readonly conditions?: { readonly pressureHpa?: number };
}

/** Whether a camera (or another device) works. */
export interface CodecHeartbeat extends CodecOutputBase {
  readonly kind: 'heartbeat';
  readonly seq?: number;
  readonly state: HeartbeatState;
  /** The device's own word, where Pantau does not know it. */
  readonly stated?: string;
  readonly reason?: string;
  readonly frames?: number;
  readonly lastFrameAt?: UtcMillis;
}

/** Birth or death of a device's connection. */
export interface CodecStatus extends CodecOutputBase {
  readonly kind: 'status';
  readonly state: StatusState;
  /** The device's own word, where Pantau does not know it. */
  readonly stated?: string;
}

/** Something that happened at the device. */
export interface CodecEvent extends CodecOutputBase {
  readonly kind: 'event';
  readonly name: string;
  readonly data?: Readonly<Record<string, string | number | boolean | null>>;
}

export type CodecOutput = CodecTelemetry | CodecHeartbeat | CodecStatus | CodecEvent;

/** A message as it arrived. */
export interface CodecInput {
  /** MQTT topic; empty for a message that came over HTTP. */
  readonly topic: string;
  /** Parts that the topic pattern of the configuration names, such as `device` or `event`. */
  readonly parts: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
  readonly receivedAt: UtcMillis;
  /**
   * How far the device's local time is ahead of UTC, when the configuration states it. Without it a local time without
   * a zone is no instant: `ts` stays undefined.
   */
  readonly utcOffsetMs: Millis | undefined;
  /** What this codec, maybe an earlier version of it, returned for this device last time: it looks at every member. */
  readonly memory: unknown;
}

/** Plain data that a codec keeps of a device, under names. */
export type CodecMemory = object;

export interface CodecResult {
  readonly outputs: readonly CodecOutput[];
  /** What could not be read, each with its reason. Good values beside it are kept. */
  readonly refusals: readonly Refusal[];
  /** Members that hold numbers and were not read, beside whatever the rest gave; nothing is passed over in silence. */
  readonly unread?: readonly string[];
  /** Why a message that was understood holds nothing that Pantau keeps; set only without outputs and refusals. */
  readonly ignored?: string;
  /** What the next message of this device needs; undefined leaves what is there. */
  readonly memory?: CodecMemory;
}

/**
 * Reads the payloads of one maker: bytes in, readings or a reason out.
 *
 * Pure: no clock, no I/O, the same answer for the same input. Never throws, whatever the bytes are; never gives a number
 * that is not in the payload; absent is absent, not zero.
 */
export interface Codec {
  /** The name in configuration: that of its folder. */
  readonly name: string;
  /**
   * What the names in topics and payloads (`source`) stand for: whole devices unless it is said otherwise. Several names of one
   * device would be several sensors in one series, except where each stands for one quantity, or for a camera.
   */
  readonly names?: 'quantities' | 'cameras';
  /** Raised when the same messages are read otherwise, so that what an earlier version read is not taken for tampering; 1 by default. */
  readonly version?: number;
  decode(input: CodecInput): CodecResult;
}
