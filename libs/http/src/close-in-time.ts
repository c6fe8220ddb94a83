import { SECOND, type Millis } from '#libs/kernel';
import type { FastifyInstance } from 'fastify';

/** For requests that are being answered. */
const GRACE: Millis = SECOND;

/**
 * Lets a server close in time: it waits for its connections, and one on which nothing was ever asked is not idle to Node, so
 * whoever only opens one would hold it. What is being answered has the grace, then all connections end.
 */
export function closeInTime(server: FastifyInstance): void {
  server.addHook('preClose', async () => {
    setTimeout(() => server.server.closeAllConnections(), GRACE).unref();
  });
}
