import { PantauError } from '#libs/kernel';
import type { FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { PublicAddress } from '../cookie.js';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a request may change something. */
export function changes({ method }: FastifyRequest): boolean {
  return !SAFE.has(method);
}

/**
 * That a request which changes something comes from a page of this Pantau, as far as the browser says where it comes from
 * (`Sec-Fetch-Site`, `Origin`). Programs say nothing, and hold no cookie that somebody else could use.
 *
 * @throws PantauError `CROSS_SITE_REFUSED` that names both origins
 */
export function assertSameSite(request: FastifyRequest, address: PublicAddress | undefined): void {
  if (!changes(request)) return;
  const { origin, 'sec-fetch-site': site } = request.headers;
  const own = address?.origin ?? `${request.protocol}://${request.host}`;
  const isOwn = origin === undefined || origin === own;
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none')) return;
  throw new PantauError(
    'CROSS_SITE_REFUSED',
    `the request comes from ${origin ?? `another site (${String(site)})`}, and this Pantau is ${own}.`,
    { remedy: 'Behind a reverse proxy set http.publicUrl to the address that browsers use.' },
  );
}

/** That a change with a session comes from who knows its token. @throws PantauError `CROSS_SITE_REFUSED` */
export function assertCsrfToken(request: FastifyRequest, expected: string): void {
  if (!changes(request)) return;
  const { 'x-csrf-token': given } = request.headers;
  if (typeof given === 'string' && timingSafeEqual(digest(given), digest(expected))) return;
  throw new PantauError('CROSS_SITE_REFUSED', 'X-CSRF-Token is missing or not that of the session.', {
    remedy: 'Send the csrfToken that GET /api/v1/session says.',
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
