import { ENTRY_BOUNDS, parseJson, type Millis } from '#libs/kernel';
import type { PantauApi } from './api.js';

/** Something that Pantau says as it happens (`GET /api/v1/live`). */
export interface LiveEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What was there is there at once: after so long without an event there are no more. */
const QUIET: Millis = 3_000;

/** The place where the events of now begin. */
export async function livePosition(api: PantauApi): Promise<string> {
  for await (const { id } of eventsOf(api, {})) return id;
  return '';
}

/** Signals of devices (heartbeats, events) behind a place, until none comes any more or `enough` says so. */
export async function signalsSince(
  api: PantauApi,
  position: string,
  site: string,
  take: (data: LiveEvent['data']) => 'more' | 'enough',
): Promise<void> {
  for await (const { type, data } of eventsOf(api, { site }, position))
    if (type === 'presence' && take(data) === 'enough') return;
}

/** Server-sent events, up to {@link QUIET} after the last one. */
async function* eventsOf(
  api: PantauApi,
  query: Readonly<Record<string, string>>,
  lastEventId?: string,
): AsyncGenerator<LiveEvent, undefined> {
  const stop = new AbortController();
  let quiet = setTimeout(() => stop.abort(), QUIET);
  let rest = '';
  try {
    const body = await api.stream('live', { topics: 'presence', ...query }, lastEventId, stop.signal);
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      clearTimeout(quiet);
      quiet = setTimeout(() => stop.abort(), QUIET);
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) yield* eventIn(block);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    clearTimeout(quiet);
    stop.abort();
  }
  return undefined;
}

function* eventIn(block: string): Generator<LiveEvent, undefined> {
  const field = (name: string): string | undefined =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const [id, type, data] = [field('id'), field('event'), field('data')];
  if (id !== undefined && type !== undefined && data !== undefined)
    yield { id, type, data: parseJson(data, ENTRY_BOUNDS, 'event') as LiveEvent['data'] };
  return undefined;
}
