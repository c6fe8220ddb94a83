import type { Millis, UtcMillis } from '#libs/kernel';
import { z } from 'zod';
import { readJson } from './json.js';
import { isParameter, PARAMETER_CODES, type Parameter } from './parameters.js';
import {
  PAYLOADS,
  type EventPayload,
  type HeartbeatPayload,
  type ResultPayload,
  type StatusPayload,
  type TelemetryPayload,
} from './payloads.js';
import type { Refusal, RejectionReason } from './streams.js';
import type { TopicKind } from './topics.js';

/** Which device times are believed. */
export interface TimePolicy {
  /** A device's clock may be ahead of the arrival by this much. */
  readonly maxFutureMs: Millis;
  /** Earlier instants are those of a device that lost its clock. */
  readonly oldest: UtcMillis;
}

/** What a message says. Values that are refused do not take the good values beside them down. */
export type Decoded =
  | {
      readonly kind: 'telemetry';
      readonly ts: UtcMillis;
      readonly seq?: number;
      readonly values: readonly (readonly [Parameter, number])[];
      readonly refusals: readonly Refusal[];
    }
  | ({ readonly kind: 'heartbeat'; readonly ts: UtcMillis; readonly lastFrameMs?: UtcMillis } & Omit<
      HeartbeatPayload,
      'ts' | 'lastFrameAt'
    >)
  | { readonly kind: 'status'; readonly ts: UtcMillis; readonly state: StatusPayload['state'] }
  | ({ readonly kind: 'event'; readonly ts: UtcMillis } & Omit<EventPayload, 'ts'>)
  | ({ readonly kind: 'result'; readonly ts: UtcMillis } & Omit<ResultPayload, 'ts'>)
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Reads a payload in Pantau's own JSON form.
 *
 * Never throws: whatever the bytes are, the answer is values or a reason.
 *
 * @param receivedAt - arrival, against which the device's time is judged
 */
export function decodeNative(
  kind: TopicKind,
  payload: Uint8Array,
  receivedAt: UtcMillis,
  policy: TimePolicy,
): Decoded {
  const parsed = readJson(payload);
  if ('refusal' in parsed) return { kind: 'refused', refusal: parsed.refusal };
  const result = PAYLOADS[kind].safeParse(parsed.value);
  // Telemetry is salvaged value by value: one wrong member must not cost the others.
  if (!result.success) {
    const refusal = refusalOf(result.error, parsed.value);
    return kind === 'telemetry'
      ? salvageTelemetry(parsed.value, refusal, receivedAt, policy)
      : { kind: 'refused', refusal };
  }
  switch (kind) {
    case 'telemetry':
      return telemetry(result.data as TelemetryPayload, [], receivedAt, policy);
    case 'heartbeat': {
      const { ts, lastFrameAt, ...rest } = result.data as HeartbeatPayload;
      return timed(ts, receivedAt, policy, (ms) => ({
        kind,
        ts: ms,
        ...rest,
        ...(lastFrameAt === undefined ? {} : { lastFrameMs: toMillis(lastFrameAt) }),
      }));
    }
    case 'status': {
      const { ts = receivedAt, state } = result.data as StatusPayload;
      return timed(ts, receivedAt, policy, (ms) => ({ kind, ts: ms, state }));
    }
    case 'event': {
      const { ts, ...rest } = result.data as EventPayload;
      return timed(ts, receivedAt, policy, (ms) => ({ kind, ts: ms, ...rest }));
    }
    case 'result': {
      const { ts = receivedAt, ...rest } = result.data as ResultPayload;
      return timed(ts, receivedAt, policy, (ms) => ({ kind, ts: ms, ...rest }));
    }
  }
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
  return path.reduce<unknown>((node, key) => (isObject(node) ? node[key as string] : undefined), value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

const telemetryFrame = z.strictObject({
  ...PAYLOADS.telemetry.shape,
  values: z.record(z.string().max(64), z.unknown()),
});

/** Takes the finite numbers and gives each of the other members its own refusal; the frame around them must be right. */
function salvageTelemetry(
  value: unknown,
  whole: Refusal,
  receivedAt: UtcMillis,
  policy: TimePolicy,
): Decoded {
  const frame = telemetryFrame.safeParse(value);
  if (!frame.success) return { kind: 'refused', refusal: refusalOf(frame.error, value) };
  const good: Record<string, number> = {};
  const refusals: Refusal[] = [];
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
  if (refusals.length === 0) return { kind: 'refused', refusal: whole };
  return telemetry({ ...frame.data, values: good }, refusals, receivedAt, policy);
}

function telemetry(
  payload: TelemetryPayload,
  earlier: readonly Refusal[],
  receivedAt: UtcMillis,
  policy: TimePolicy,
): Decoded {
  const values: [Parameter, number][] = [];
  const refusals = [...earlier];
  for (const [name, value] of Object.entries(payload.values)) {
    if (isParameter(name)) values.push([name, value]);
    else
      refusals.push({
        reason: 'unknown_parameter',
        detail: `values.${name}: expected one of ${PARAMETER_CODES.join(', ')}`,
      });
  }
  return timed(payload.ts, receivedAt, policy, (ts) => ({
    kind: 'telemetry',
    ts,
    ...(payload.seq === undefined ? {} : { seq: payload.seq }),
    values,
    refusals,
  }));
}

function timed(
  ts: string | number,
  receivedAt: UtcMillis,
  policy: TimePolicy,
  accept: (ts: UtcMillis) => Decoded,
): Decoded {
  const ms = toMillis(ts);
  if (ms > receivedAt + policy.maxFutureMs) {
    const detail = `ts ${iso(ms)} is ${Math.round((ms - receivedAt) / 1000)} s after the arrival at ${iso(receivedAt)}; check the clock of the device`;
    return { kind: 'refused', refusal: { reason: 'timestamp_in_future', detail } };
  }
  if (ms < policy.oldest) {
    const detail = `ts ${iso(ms)} is before ${iso(policy.oldest)}; the device has lost its clock`;
    return { kind: 'refused', refusal: { reason: 'timestamp_too_old', detail } };
  }
  return accept(ms);
}

function toMillis(ts: string | number): UtcMillis {
  return typeof ts === 'number' ? ts : Date.parse(ts);
}

/** ISO 8601 where the calendar reaches, the plain number beyond. */
function iso(ms: UtcMillis): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
