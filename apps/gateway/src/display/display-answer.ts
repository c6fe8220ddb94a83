import { SEVERITIES } from '#libs/alerting';
import { HEARTBEAT_STATES } from '#libs/telemetry';
import { z } from 'zod';
import { instantText, text } from '../http/answer.js';
import { PRESENCE_STATES } from '../devices/devices-answer.js';
import { stationSchema } from '../stations/stations-answer.js';

/**
 * What a screen on a wall shows, and no more: each member is named here, so that nothing which is added elsewhere is seen by whoever passes by.
 */
export const displaySchema = z
  .strictObject({
    at: instantText.describe('The time of now, of Pantau: the clock of a screen may be wrong'),
    expiresAt: instantText.optional().describe('When the token ends with which this was asked'),
    sites: z.array(
      z.strictObject({
        ...{ id: z.string(), name: z.string(), district: z.string().optional() },
        ...{ latitude: z.number().optional(), longitude: z.number().optional() },
      }),
    ),
    devices: z.array(
      z.strictObject({
        ...{ id: z.string(), site: z.string(), kind: z.enum(['air', 'camera']), name: z.string() },
        intervalMs: z.number(),
        outOfService: z.strictObject({ since: instantText }).optional(),
        presence: z.strictObject({ state: z.enum(PRESENCE_STATES) }).optional(),
        heartbeat: z.strictObject({ state: z.enum(HEARTBEAT_STATES) }).optional(),
        lastSeen: instantText.optional(),
        nothingRead: z.strictObject({ since: instantText }).optional(),
      }),
    ),
    stations: z.array(stationSchema),
    alerts: z
      .array(
        z.strictObject({
          ...{ alert: z.string(), severity: z.enum(SEVERITIES), title: text },
          ...{ site: z.string(), device: z.string(), since: instantText },
        }),
      )
      .describe('Those that fire, newest first'),
    moreAlerts: z.boolean().describe('There are more than are shown'),
  })
  .meta({ id: 'Display' });
