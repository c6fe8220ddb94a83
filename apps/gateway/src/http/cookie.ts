import type { FastifyReply, FastifyRequest } from 'fastify';

export const SESSION_COOKIE = 'pantau_session';

/** Where the API is seen from outside. */
export interface PublicAddress {
  readonly origin: string;
  /** Empty, or as `/pantau`. */
  readonly path: string;
}

/** The cookie of a session. Scripts cannot read it, and another site's requests do not carry it. */
export function sendSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  value: string | undefined,
  address: PublicAddress | undefined,
): void {
  const isSecure = address?.origin.startsWith('https:') ?? request.protocol === 'https';
  const attributes = [
    `${SESSION_COOKIE}=${value ?? ''}`,
    `Path=${address?.path ?? ''}/`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
    ...(value === undefined ? ['Max-Age=0'] : []),
  ];
  void reply.header('set-cookie', attributes.join('; '));
}

const OPEN_ID_COOKIE = 'pantau_sign_on';
/** Seconds between the two halves of a sign-in. */
const OPEN_ID_LIFETIME = 600;

/** What a browser keeps while it is at the sign-on server. It comes back from there, so `Strict` would keep the cookie away. */
export function sendOpenIdCookie(
  reply: FastifyReply,
  value: string | undefined,
  { origin, path }: PublicAddress,
): void {
  const attributes = [
    `${OPEN_ID_COOKIE}=${value ?? ''}`,
    `Path=${path}/api/v1/session/open-id`,
    ...['HttpOnly', 'SameSite=Lax', ...(origin.startsWith('https:') ? ['Secure'] : [])],
    `Max-Age=${value === undefined ? 0 : OPEN_ID_LIFETIME}`,
  ];
  void reply.header('set-cookie', attributes.join('; '));
}

export function openIdCookie(request: FastifyRequest): string | undefined {
  return cookieOf(request, OPEN_ID_COOKIE);
}

export function sessionCookie(request: FastifyRequest): string | undefined {
  return cookieOf(request, SESSION_COOKIE);
}

/** What the browser sent; the first of several. */
function cookieOf({ headers }: FastifyRequest, wanted: string): string | undefined {
  for (const pair of (headers.cookie ?? '').split(';')) {
    const [name, ...value] = pair.split('=');
    if (name?.trim() === wanted) return value.join('=').trim();
  }
  return undefined;
}
