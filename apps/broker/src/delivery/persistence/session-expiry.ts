import type { UtcMillis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { StatePersistence } from './state-persistence.js';

/** Forgets the kept sessions of clients that were gone before a time and did not come back. */
export async function forgetOldSessions(
  persistence: StatePersistence,
  before: UtcMillis,
  isConnected: (client: string) => boolean,
  logger: Logger,
): Promise<void> {
  try {
    const forgotten = await persistence.forgetSessions(before, isConnected);
    if (forgotten > 0) logger.info({ forgotten }, 'sessions that were away for too long are forgotten');
  } catch (error) {
    logger.error({ err: error }, 'old sessions could not be forgotten');
  }
}
