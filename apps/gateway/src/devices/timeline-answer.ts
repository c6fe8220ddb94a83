import {
  intersect,
  subtract,
  union,
  type Cause,
  type ConnectionState,
  type Spans,
  type Timeline,
} from '#libs/availability';
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

const CONNECTIONS = ['connected', 'lost', 'left'] as const satisfies readonly ConnectionState[];

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
        connection: z
          .enum(CONNECTIONS)
          .optional()
          .describe(
            'Of a silence, as far as it is known: connected, so the device said nothing; lost: its connection broke; left: the device ended it. Absent of a device that holds none, and while it returns to a Pantau that was started again',
          ),
      }),
    ),
  })
  .meta({ id: 'DeviceTimeline' });

/** The spans of all causes in the order of time; silence apart by what the connection was. */
export function timelineAnswer(
  timeline: Timeline,
  connections: Readonly<Record<ConnectionState, Spans>>,
): z.output<typeof timelineSchema> {
  const items = CAUSES.flatMap((cause) => timeline[cause].map(({ from, to }) => ({ from, to, cause })));
  const known = union(Object.values(connections).flat());
  const silences = CONNECTIONS.flatMap((connection) =>
    intersect(timeline.silent, connections[connection]).map((span) => ({
      ...{ from: span.from, to: span.to, cause: 'silent' as const, connection },
    })),
  );
  const unknown = subtract(timeline.silent, known).map(({ from, to }) => ({
    from,
    to,
    cause: 'silent' as const,
  }));
  const shown = [...items.filter(({ cause }) => cause !== 'silent'), ...silences, ...unknown];
  return {
    items: shown
      .sort((a, b) => a.from - b.from)
      .map(({ from, to, ...why }) => ({
        ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
        ...why,
      })),
  };
}
