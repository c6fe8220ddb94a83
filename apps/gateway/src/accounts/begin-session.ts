import type { OpenSession } from '#libs/identity';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayDependencies } from '../dependencies.js';
import { sendSessionCookie } from '../http/cookie.js';

/** Begins a session under a new cookie. */
export async function beginSession(
  { sessions, publicUrl }: GatewayDependencies,
  user: OpenSession['user'],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<OpenSession> {
  const origin = { address: request.ip, agent: request.headers['user-agent'] };
  const { cookie, session } = await sessions.begin(user, origin);
  sendSessionCookie(request, reply, cookie, publicUrl);
  void reply.header('cache-control', 'no-store');
  return session;
}
