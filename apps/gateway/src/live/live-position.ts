import { PantauError } from '#libs/kernel';
import { LIVE_TOPICS, type LiveTopic } from './live-topics.js';

/** Of each topic the offset to read next, shard by shard. */
export type LivePosition = ReadonlyMap<LiveTopic, readonly number[]>;

/** As the id of an event: `readings.12.0.7.3-alerts.0.0.1.0`. */
export function positionText(position: LivePosition): string {
  return [...position].map(([topic, offsets]) => [topic, ...offsets].join('.')).join('-');
}

/**
 * @param text - undefined for whoever has seen none
 * @throws PantauError `USAGE` when no event has this id
 */
export function parsePosition(text: string | undefined): LivePosition {
  const position = new Map<LiveTopic, readonly number[]>();
  if (text === undefined) return position;
  for (const part of text.split('-')) {
    const [topic, ...offsets] = part.split('.');
    const isKnown = LIVE_TOPICS.some((known) => known === topic) && offsets.length > 0;
    if (!isKnown || !offsets.every((offset) => /^\d{1,15}$/.test(offset)))
      throw new PantauError('USAGE', 'Last-Event-ID is not the id of an event.', {
        fields: [{ field: 'Last-Event-ID', message: 'expected the id of an event of this route' }],
        remedy: 'Leave it out to begin now.',
      });
    position.set(topic as LiveTopic, offsets.map(Number));
  }
  return position;
}
