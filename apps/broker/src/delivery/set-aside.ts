import type { Journal, SetAside } from '#libs/journal';
import { messageOf, type Clock } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { StateStore } from '#libs/state';
import type { Rejection } from '#libs/telemetry';
import { SET_ASIDE_ENTRIES } from '../namespaces.js';

const MAX_DETAIL = 1_000;

/** Records an entry of the journal that the broker passes over: in the log, in the stream `rejected`, and counted. */
export function setAsideIn(
  journal: Journal,
  state: StateStore,
  clock: Clock,
  logger: Logger,
  count: (stream: string) => void,
) {
  return async ({ stream, shard, offset, key, error }: SetAside): Promise<void> => {
    logger.error({ stream, shard, offset, err: error }, 'an entry of the journal was set aside');
    count(stream);
    const data: Rejection = {
      reason: 'handler_failed',
      detail: `broker: ${messageOf(error)}`.slice(0, MAX_DETAIL),
      receivedAt: clock.now(),
      ...(key === undefined ? {} : { device: key }),
      count: 1,
      source: { stream, shard, offset },
    };
    try {
      const place = `${stream}/${shard}/${offset}`;
      if ((await state.get(SET_ASIDE_ENTRIES, place)) !== undefined) return;
      await journal.append('rejected', [{ key: key ?? '', data }]);
      await state.write([SET_ASIDE_ENTRIES.put(place, data.receivedAt)]);
    } catch (cause) {
      // Not durable is bad luck; waiting for it would hold up the entries behind.
      logger.error({ stream, shard, offset, err: cause }, 'what was set aside could not be recorded');
    }
  };
}
