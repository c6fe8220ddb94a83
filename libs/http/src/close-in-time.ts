import { SECOND, type Millis } from '#libs/kernel';
import type { FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';

/** For whoever has connected and is about to ask. */
const GRACE: Millis = SECOND;

/**
 * Lets a server close in time. It waits for its connections, and one on which nothing was ever asked is not idle to Node, nor is
 * one ended on which an answer has just been given: either would hold it. What is being answered is waited for.
 */
export function closeInTime(server: FastifyInstance): void {
  /** Connections, with the number of requests on each that have no answer yet. */
  const open = new Map<Socket, number>();
  let isOver = false;
  const endIdle = (): void => {
    for (const [socket, asked] of open) if (isOver && asked === 0) socket.destroySoon();
  };
  const count = (socket: Socket, change: 1 | -1): void => {
    const before = open.get(socket);
    if (before !== undefined) open.set(socket, before + change);
    endIdle();
  };
  server.server.on('connection', (socket: Socket) => {
    open.set(socket, 0);
    socket.once('close', () => open.delete(socket));
  });
  server.addHook('onRequest', async ({ raw: { socket } }, { raw }) => {
    count(socket, 1);
    // Comes once, also where the client leaves before there is an answer.
    raw.once('close', () => count(socket, -1));
  });
  server.addHook('preClose', async () => {
    setTimeout(() => {
      isOver = true;
      endIdle();
    }, GRACE).unref();
  });
}
