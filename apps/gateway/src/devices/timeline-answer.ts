import type { Cause, Timeline } from '#libs/availability';
import { z } from 'zod';
import { instantText } from '../http/answer.js';

const CAUSES = [
  'heartbeat',
  'degraded',
  'reported',
  'silent',
  'planned',
  'undetermined',
  'unobserved',
] as const satisfies readonly Cause[];

export const timelineSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        from: instantText,
        to: instantText,
        cause: z
          .enum(CAUSES)
          .describe(
            'heartbeat, degraded: up; reported: down, it said so; silent: it said nothing while Pantau listened; planned: out of service; undetermined: it cannot tell; unobserved: Pantau did not listen',
          ),
      }),
    ),
  })
  .meta({ id: 'DeviceTimeline' });

/** The spans of all causes in the order of time. */
export function timelineAnswer(timeline: Timeline): z.output<typeof timelineSchema> {
  const items = CAUSES.flatMap((cause) => timeline[cause].map(({ from, to }) => ({ from, to, cause })));
  return {
    items: items
      .sort((a, b) => a.from - b.from)
      .map(({ from, to, cause }) => ({
        ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
        cause,
      })),
  };
}
