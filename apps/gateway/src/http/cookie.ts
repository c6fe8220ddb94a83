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

/** What the browser sent; the first of several. */
export function sessionCookie({ headers }: FastifyRequest): string | undefined {
  for (const pair of (headers.cookie ?? '').split(';')) {
    const [name, ...value] = pair.split('=');
    if (name?.trim() === SESSION_COOKIE) return value.join('=').trim();
  }
  return undefined;
}
