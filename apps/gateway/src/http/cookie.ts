import { ATTEMPT_LIFETIME } from '#libs/identity';
import { DAY, SECOND } from '#libs/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';

export const SESSION_COOKIE = 'pantau_session';
const OPEN_ID_COOKIE = 'pantau_sign_on';
const BROWSER_COOKIE = 'pantau_browser';
/** As long as browsers keep one. */
const BROWSER_KEPT = 400 * DAY;

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
  const isSecure = isOverTls(request, address);
  const attributes = [
    `${prefixed(SESSION_COOKIE, isSecure, address)}=${value ?? ''}`,
    `Path=${address?.path ?? ''}/`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
    ...(value === undefined ? ['Max-Age=0'] : []),
  ];
  void reply.header('set-cookie', attributes.join('; '));
}

/** Tells a browser in which somebody has signed in from others of its network; it lets nobody in. */
export function sendBrowserCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  value: string,
  address: PublicAddress | undefined,
): void {
  const isSecure = isOverTls(request, address);
  const attributes = [
    `${prefixed(BROWSER_COOKIE, isSecure, address)}=${value}`,
    `Path=${address?.path ?? ''}/`,
    ...['HttpOnly', 'SameSite=Strict', ...(isSecure ? ['Secure'] : [])],
    `Max-Age=${BROWSER_KEPT / SECOND}`,
  ];
  void reply.header('set-cookie', attributes.join('; '));
}

export function browserCookie(
  request: FastifyRequest,
  address: PublicAddress | undefined,
): string | undefined {
  return cookieOf(request, BROWSER_COOKIE, address);
}

/** What a browser keeps while it is at the sign-on server. It comes back from there, so `Strict` would keep the cookie away. */
export function sendOpenIdCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  value: string | undefined,
  address: PublicAddress,
): void {
  const isSecure = isOverTls(request, address);
  const name = prefixed(OPEN_ID_COOKIE, isSecure, address);
  const attributes = [
    `${name}=${value ?? ''}`,
    `Path=${name.startsWith('__Host-') ? '/' : `${address.path}/api/v1/session/open-id`}`,
    ...['HttpOnly', 'SameSite=Lax', ...(isSecure ? ['Secure'] : [])],
    `Max-Age=${value === undefined ? 0 : ATTEMPT_LIFETIME / SECOND}`,
  ];
  void reply.header('set-cookie', attributes.join('; '));
}

export function openIdCookie(request: FastifyRequest, address: PublicAddress): string | undefined {
  return cookieOf(request, OPEN_ID_COOKIE, address);
}

export function sessionCookie(
  request: FastifyRequest,
  address: PublicAddress | undefined,
): string | undefined {
  return cookieOf(request, SESSION_COOKIE, address);
}

function isOverTls(request: FastifyRequest, address: PublicAddress | undefined): boolean {
  return address?.origin.startsWith('https:') ?? request.protocol === 'https';
}

/**
 * What browsers let nobody else set (RFC 6265bis, 4.1.3): with `__Host-` no neighbouring host, with `__Secure-` nobody without
 * TLS. The first needs the path `/`.
 */
function prefixed(name: string, isSecure: boolean, address: PublicAddress | undefined): string {
  if (!isSecure) return name;
  return `${(address?.path ?? '') === '' ? '__Host-' : '__Secure-'}${name}`;
}

/** What the browser sent under the name that it was given; the first of several. */
function cookieOf(
  request: FastifyRequest,
  base: string,
  address: PublicAddress | undefined,
): string | undefined {
  const wanted = prefixed(base, isOverTls(request, address), address);
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name, ...value] = pair.split('=');
    if (name?.trim() === wanted) return value.join('=').trim();
  }
  return undefined;
}
