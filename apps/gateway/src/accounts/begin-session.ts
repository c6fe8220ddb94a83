import type { OpenSession } from '#libs/identity';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayDependencies } from '../dependencies.js';
import { browserCookie, sendBrowserCookie, sendSessionCookie } from '../http/cookie.js';

/** Begins a session under a new cookie. @param isSignOn - at the sign-on server */
export async function beginSession(
  { sessions, users, publicUrl }: GatewayDependencies,
  user: OpenSession['user'],
  request: FastifyRequest,
  reply: FastifyReply,
  isSignOn = false,
): Promise<OpenSession> {
  const origin = { address: request.ip, agent: request.headers['user-agent'], isSignOn };
  const { cookie, session } = await sessions.begin(user, origin);
  sendSessionCookie(request, reply, cookie, publicUrl);
  if ((await users.browsers.idOf(user.name, browserCookie(request, publicUrl))) === undefined)
    sendBrowserCookie(request, reply, await users.browsers.issue(user.name), publicUrl);
  void reply.header('cache-control', 'no-store');
  return session;
}
