import type { LivePosition } from './live-position.js';
import type { LiveTopic } from './live-topics.js';

export interface LiveEvent {
  /** Of the topic; `start` is the first; `lost` says what cannot be had any more; `alive` that there is nothing. */
  readonly type: LiveTopic | 'start' | 'lost' | 'alive';
  /** From where whoever has seen this event goes on. */
  readonly id: string;
  /** JSON on one line. */
  readonly text: string;
}

/** Events as they are sent, and the place behind the last of them. */
export interface LiveChunk {
  readonly bytes: Buffer;
  readonly place: LivePosition;
}

/** An event without data is no event; its id counts all the same. */
export function rendered({ type, id, text }: LiveEvent): string {
  return type === 'alive' ? `id: ${id}\n\n` : `id: ${id}\nevent: ${type}\ndata: ${text}\n\n`;
}
