import { MINUTE, type Clock } from '#libs/kernel';
import type { LoadedConfig, Logger } from '#libs/platform';
import type { AgedRows, StateStore } from '#libs/state';

const TRIM_PERIOD = 10 * MINUTE;

type Retention = LoadedConfig['journal']['retention'];

/** Removes the rows of stages that are older than the stream they go with is kept. What is kept for ever, or by its size alone, keeps its rows. */
export async function trimState(
  state: StateStore,
  rows: readonly AgedRows[],
  retention: Retention,
  clock: Clock,
  logger: Logger,
): Promise<void> {
  for (const aged of rows) {
    const { maxAge } = retention[aged.stream as keyof Retention] ?? {};
    if (maxAge === undefined) continue;
    const removed = await aged.trim(state, clock.now() - maxAge);
    if (removed > 0) logger.info({ name: aged.name, rows: removed }, 'rows went with their stream');
  }
}

/** Does {@link trimState} every ten minutes. */
export function startTrimming(...args: Parameters<typeof trimState>): () => Promise<void> {
  const [, , , , logger] = args;
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = trimState(...args).catch((error: unknown) =>
      logger.error({ err: error }, 'old rows of the state could not be removed'),
    );
  }, TRIM_PERIOD);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
