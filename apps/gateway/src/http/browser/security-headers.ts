import type { FastifyInstance } from 'fastify';
import type { PublicAddress } from '../cookie.js';

/** No inline script or style, no code from strings, nothing from another host, in no frame. */
const POLICY = [
  "default-src 'none'",
  ...['script', 'style', 'connect', 'worker', 'font', 'manifest'].map((kind) => `${kind}-src 'self'`),
  "img-src 'self' data: blob:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};
/** A year; the proxy that ends TLS may say more. */
const STRICT_TRANSPORT = 'max-age=31536000';

/** On every answer, also on one that is written past the framework. */
export function sendSecurityHeaders(fastify: FastifyInstance, address: PublicAddress | undefined): void {
  fastify.addHook('onRequest', (request, { raw }, done) => {
    for (const [name, value] of Object.entries(HEADERS)) raw.setHeader(name, value);
    const isSecure = address?.origin.startsWith('https:') ?? request.protocol === 'https';
    if (isSecure) raw.setHeader('strict-transport-security', STRICT_TRANSPORT);
    done();
  });
}

/** A proxy may hand on the path of the public address or take it off: both are the same request. */
export function withoutPublicPath(url: string, address: PublicAddress | undefined): string {
  const path = address?.path ?? '';
  if (path === '' || !url.startsWith(path)) return url;
  const rest = url.slice(path.length);
  return rest === '' || rest.startsWith('?') ? `/${rest}` : rest.startsWith('/') ? rest : url;
}
