import { deviceSchema } from '#libs/identity';
import { HEARTBEAT_STATES, REJECTION_REASONS, STATUS_STATES } from '#libs/telemetry';
import { z } from 'zod';
import { count, flag, instantText, listOf, measuredCode, parameterCode } from '../http/answer.js';

export const registeredDeviceSchema = deviceSchema.meta({ id: 'Device' });

const milliseconds = z.number().min(0);
const notice = { message: z.string(), remedy: z.string() };
const stated = z.string().optional().describe("The device's own word, where Pantau does not know it");

export const PRESENCE_STATES = ['connected', 'reconnecting', 'disconnected', 'unknown'] as const;

/** A device, and what is known of it now. */
export const deviceNowSchema = z
  .strictObject({
    ...deviceSchema.shape,
    outOfService: z
      .strictObject({ since: instantText })
      .optional()
      .describe('It is shut out on purpose, and owes nothing'),
    presence: z
      .strictObject({
        state: z.enum(PRESENCE_STATES),
        cause: z.enum(['connect', 'clean', 'keepalive', 'takeover', 'lost', 'expelled', 'shutdown']),
        at: instantText,
      })
      .optional(),
    flaps: z
      .strictObject({ count, lastAt: instantText })
      .optional()
      .describe('Connections that were back before anybody had to call it an outage'),
    heartbeat: z
      .strictObject({
        ts: instantText,
        state: z.enum(HEARTBEAT_STATES),
        stated,
        reason: z.string().optional(),
      })
      .optional(),
    status: z
      .strictObject({ ts: instantText, state: z.enum(STATUS_STATES), stated })
      .optional()
      .describe("The device's own newest birth or death, by arrival"),
    lastSeen: instantText.optional().describe('Arrival of its newest message'),
    latest: z
      .partialRecord(parameterCode, z.strictObject({ ts: instantText, value: z.number(), flag }))
      .optional()
      .describe('The latest reading of each parameter, by device time'),
    nothingRead: z
      .strictObject({
        reason: z.enum(REJECTION_REASONS),
        detail: z.string(),
        topic: z.string().optional(),
        since: instantText,
        at: instantText,
        messages: count,
        ...notice,
      })
      .optional(),
    unkeptInterval: z
      .strictObject({ registeredMs: milliseconds, observedMs: milliseconds, ...notice })
      .optional(),
    lateHistory: z.strictObject({ messages: count, at: instantText, ...notice }).optional(),
  })
  .meta({ id: 'DeviceNow' });

export const devicesSchema = listOf(deviceNowSchema);

export const unreadSchema = z.strictObject({
  items: z.array(z.strictObject({ name: z.string(), count, firstAt: instantText, lastAt: instantText })),
  more: count.describe('Messages with members beyond those that are kept'),
});

const difference = z.number().nullable();

export const clockDaySchema = z
  .strictObject({
    day: z.string().describe('Calendar day of the regency on which the messages arrived'),
    messages: count,
    withoutTime: count.describe("Messages without a time of the device's own"),
    wrong: count.describe('Messages whose time cannot be true'),
    late: count,
    skewMaxMs: difference.describe('Largest device time less arrival'),
    skewMinMs: difference.describe('Smallest device time less arrival'),
  })
  .meta({ id: 'ClockDay' });

export const clockSchema = listOf(clockDaySchema);

export const sensorsSchema = z.strictObject({
  counted: z.partialRecord(measuredCode, z.string()),
  refused: z.array(
    z.strictObject({
      name: z.string(),
      parameter: measuredCode,
      isDevice: z.boolean().describe('A device of its own that nobody mapped'),
      count,
      firstAt: instantText,
      lastAt: instantText,
      value: z.number().describe('The newest, in the unit that was stated'),
      unit: z.string(),
      remedy: z
        .strictObject({ alias: z.string(), add: z.string(), count: z.string().optional() })
        .describe('Lines that let its values be taken'),
    }),
  ),
  more: count.describe('Values of still others'),
});
