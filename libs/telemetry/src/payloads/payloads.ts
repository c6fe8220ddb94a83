import { z } from 'zod';
import { MEASURED_CODES } from '../parameters.js';
import { HEARTBEAT_STATES, STATE_WORD, STATUS_STATES } from '../states.js';

/**
 * The instant a device states: ISO 8601 with `Z` or an offset, or milliseconds since the Unix epoch.
 * Whether it is plausible is judged against the arrival time, not here.
 */
export const deviceTime = z
  .union([z.iso.datetime({ offset: true }), z.int().nonnegative()], {
    error: 'expected the time of measurement: ISO 8601 with Z or an offset, or milliseconds since 1970 (UTC)',
  })
  .describe('Device clock: ISO 8601 with Z or an offset, or milliseconds since the Unix epoch (UTC)');

/** A state of the list, or another short word, which is kept as it is and counts as unknown. */
function stateAmong<const S extends readonly string[]>(states: S, description: string) {
  const word = z.string().regex(STATE_WORD);
  return z
    .union([z.enum(states), word], { error: `expected one of ${states.join(', ')}, or another short word` })
    .describe(description);
}

/** Producer's counter; distinguishes a re-sent message from a new one and shows gaps. */
const sequence = z.int().nonnegative().describe('Counter of the device, unique per message');

/** Payload of `…/telemetry`: measured values of one instant, each in the unit of its parameter. */
export const telemetryPayload = z
  .strictObject({
    ts: deviceTime,
    seq: sequence.optional(),
    values: z
      .record(z.string().max(64), z.number())
      .refine((values) => Object.keys(values).length > 0, 'expected at least one value')
      .describe(`Measured values by parameter (${MEASURED_CODES.join(', ')}); ug/m3, degC, %`),
  })
  .describe('Measured values of one instant');
export type TelemetryPayload = z.infer<typeof telemetryPayload>;

/**
 * Payload of `…/heartbeat`: a camera (or its agent) says whether pictures advance. `frames` and `lastFrameAt`
 * make the claim checkable: an open port with a frozen picture is not up.
 */
export const heartbeatPayload = z
  .strictObject({
    ts: deviceTime,
    seq: sequence.optional(),
    state: stateAmong(
      HEARTBEAT_STATES,
      'up: the picture advances; degraded: it does, worse than it should; down: it does not; planned: switched off on purpose; unknown: whoever reports cannot tell. Another word is kept and counts as unknown',
    ),
    reason: z.string().max(200).optional().describe('Why it is so, in a few words'),
    frames: z.int().nonnegative().optional().describe('Frames counted since the agent started'),
    lastFrameAt: deviceTime.optional().describe('Time of the newest frame'),
  })
  .describe('Liveness of a camera or another device');
export type HeartbeatPayload = z.infer<typeof heartbeatPayload>;

/** Payload of `…/status`: birth and last will of a device. The broker's own presence events are the authority. */
export const statusPayload = z
  .strictObject({
    state: stateAmong(STATUS_STATES, 'online or offline. Another word is kept and counts as unknown'),
    ts: deviceTime.optional(),
    firmware: z.string().max(100).optional(),
  })
  .describe('Birth message or last will of a device');
export type StatusPayload = z.infer<typeof statusPayload>;

/** Payload of `…/event`: something that happened at the device, for the record. */
export const eventPayload = z
  .strictObject({
    ts: deviceTime,
    seq: sequence.optional(),
    name: z.string().min(1).max(64),
    data: z
      .record(z.string().max(64), z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]))
      .optional(),
  })
  .describe('Something that happened at the device');
export type EventPayload = z.infer<typeof eventPayload>;

/** Payload of `…/result`: what became of a command. */
export const resultPayload = z
  .strictObject({
    ts: deviceTime.optional(),
    id: z
      .string()
      .min(1)
      .max(64)
      .describe('Id of the command: the last level of its topic, and `id` in its payload'),
    state: z.enum(['done', 'failed']),
    detail: z.string().max(1_000).optional().describe('What came out of it, or why it failed'),
  })
  .describe('What became of a command');
export type ResultPayload = z.infer<typeof resultPayload>;

/** Each kind of message with its schema: the single source of the types, of `docs/schema` and of the checks. */
export const PAYLOADS = {
  telemetry: telemetryPayload,
  heartbeat: heartbeatPayload,
  status: statusPayload,
  event: eventPayload,
  result: resultPayload,
} as const;
