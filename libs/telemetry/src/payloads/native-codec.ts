import { defined, type UtcMillis, isObject } from '#libs/kernel';
import { z } from 'zod';
import type { CodecOutput, CodecResult, Measured } from '../codec.js';
import { readJson } from './json.js';
import { isParameter, MEASURED_CODES, PARAMETERS } from '../parameters.js';
import {
  deviceTime,
  PAYLOADS,
  type EventPayload,
  type HeartbeatPayload,
  type ResultPayload,
  type StatusPayload,
  type TelemetryPayload,
} from './payloads.js';
import { HEARTBEAT_STATES, stateOf, STATUS_STATES } from '../states.js';
import type { Refusal, RejectionReason } from '../streams.js';
import type { TopicKind } from '../topics/topics.js';

/** What a message in Pantau's own form says. `result` is about a command that the device was given. */
export interface NativeResult extends CodecResult {
  readonly result?: { readonly id: string; readonly state: 'done' | 'failed'; readonly detail?: string };
}

/**
 * Reads a payload in Pantau's own JSON form.
 *
 * Never throws: whatever the bytes are, the answer is values or a reason. Values that are refused do not take the good
 * values beside them down. Whether the device's time can be true is not judged here ({@link judgeTime}).
 */
export function decodeNative(kind: TopicKind, payload: Uint8Array): NativeResult {
  const parsed = readJson(payload);
  if ('refusal' in parsed) return refused(parsed.refusal);
  if (kind === 'telemetry' && isFaultless(parsed.value)) return telemetry(parsed.value, []);
  const result = PAYLOADS[kind].safeParse(parsed.value);
  // Telemetry is salvaged value by value: one wrong member must not cost the others.
  if (!result.success) {
    const refusal = refusalOf(result.error, parsed.value);
    return kind === 'telemetry' ? salvageTelemetry(parsed.value, refusal) : refused(refusal);
  }
  switch (kind) {
    case 'telemetry':
      return telemetry(result.data as TelemetryPayload, passedOver(parsed.value));
    case 'heartbeat': {
      const { ts, lastFrameAt, state, reason, frames, seq } = result.data as HeartbeatPayload;
      const frame = lastFrameAt === undefined ? undefined : toMillis(lastFrameAt);
      const rest = defined({ reason, frames, seq, lastFrameAt: frame });
      return said({ kind, ts: toMillis(ts), ...stateOf(state, HEARTBEAT_STATES), ...rest });
    }
    case 'status': {
      const { ts, state } = result.data as StatusPayload;
      const at = ts === undefined ? undefined : toMillis(ts);
      return said({ kind, ts: at, ...stateOf(state, STATUS_STATES) });
    }
    case 'event': {
      const { ts, name, data } = result.data as EventPayload;
      return said({ kind, ts: toMillis(ts), name, ...(data === undefined ? {} : { data }) });
    }
    case 'result': {
      const { id, state, detail } = result.data as ResultPayload;
      return {
        outputs: [],
        refusals: [],
        result: { id, state, ...(detail === undefined ? {} : { detail }) },
      };
    }
  }
}

/**
 * Whether the schema of telemetry takes the value: its questions, asked without making a copy of what it takes. Nearly
 * every message is of this kind. Only a yes is final; after a no the schema itself is asked, which says what is wrong.
 */
function isFaultless(value: unknown): value is TelemetryPayload {
  if (!isObject(value)) return false;
  for (const name of Object.keys(value))
    if (name !== 'ts' && name !== 'seq' && name !== 'values') return false;
  const { ts, seq, values } = value;
  return (
    (typeof ts === 'string' ? deviceTime.safeParse(ts).success : isCount(ts)) &&
    (seq === undefined || isCount(seq)) &&
    isObject(values) &&
    !Array.isArray(values) &&
    areFiniteNumbers(values)
  );
}

function areFiniteNumbers(values: Record<string, unknown>): boolean {
  const names = Object.keys(values);
  for (const name of names)
    if (!Number.isFinite(values[name]) || name.length > 64 || name === '__proto__') return false;
  return names.length > 0;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function said(output: CodecOutput): NativeResult {
  return { outputs: [output], refusals: [] };
}

function refused(...refusals: readonly Refusal[]): NativeResult {
  return { outputs: [], refusals };
}

function refusalOf(error: z.ZodError, value: unknown): Refusal {
  const [issue] = error.issues;
  const path = issue?.path.join('.') ?? '';
  return {
    reason: reasonFor(valueAt(value, issue?.path ?? [])),
    detail: `${path === '' ? 'payload' : path}: ${issue?.message ?? 'does not fit'}`.slice(0, 300),
  };
}

function reasonFor(found: unknown): RejectionReason {
  if (typeof found === 'number' && !Number.isFinite(found)) return 'not_finite';
  if (typeof found === 'string' && found.trim() !== '' && Number.isFinite(Number(found)))
    return 'number_as_text';
  return 'schema_violation';
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, key) =>
      typeof node === 'object' && node !== null
        ? (node as Readonly<Record<PropertyKey, unknown>>)[key]
        : undefined,
    value,
  );
}

const telemetryFrame = z.strictObject({
  ...PAYLOADS.telemetry.shape,
  values: z.record(z.string().max(64), z.unknown()),
});

/** Takes the finite numbers and gives each of the other members its own refusal; the frame around them must be right. */
function salvageTelemetry(value: unknown, whole: Refusal): NativeResult {
  const frame = telemetryFrame.safeParse(value);
  if (!frame.success) return refused(refusalOf(frame.error, value));
  const good: Record<string, number> = {};
  const refusals: Refusal[] = [...passedOver(value)];
  for (const [name, member] of Object.entries(frame.data.values)) {
    if (typeof member === 'number' && Number.isFinite(member)) good[name] = member;
    else {
      const found =
        typeof member === 'string'
          ? `the text "${member.slice(0, 40)}"`
          : typeof member === 'number'
            ? String(member)
            : member === null
              ? 'null'
              : typeof member;
      refusals.push({
        reason: reasonFor(member),
        detail: `values.${name}: expected a finite number, found ${found}`,
      });
    }
  }
  if (refusals.length === 0) return refused(whole);
  return telemetry({ ...frame.data, values: good }, refusals);
}

/** A record's schema leaves a member `__proto__` out without a word. */
function passedOver(value: unknown): readonly Refusal[] {
  const values = isObject(value) ? value['values'] : undefined;
  return isObject(values) && Object.hasOwn(values, '__proto__') ? [unknownParameter('__proto__')] : [];
}

function unknownParameter(name: string): Refusal {
  const detail = `values.${name}: expected one of ${MEASURED_CODES.join(', ')}`;
  return { reason: 'unknown_parameter', detail };
}

function telemetry({ ts, seq, values: stated }: TelemetryPayload, earlier: readonly Refusal[]): NativeResult {
  const values: Measured[] = [];
  const refusals = [...earlier];
  for (const name of Object.keys(stated)) {
    const value = stated[name] as number;
    if (isParameter(name)) values.push({ parameter: name, value, unit: PARAMETERS[name].unit });
    else refusals.push(unknownParameter(name));
  }
  if (values.length === 0) return refused(...refusals);
  const at = toMillis(ts);
  const output: CodecOutput =
    seq === undefined ? { kind: 'telemetry', ts: at, values } : { kind: 'telemetry', ts: at, seq, values };
  return { outputs: [output], refusals };
}

function toMillis(ts: string | number): UtcMillis {
  return typeof ts === 'number' ? ts : Date.parse(ts);
}
