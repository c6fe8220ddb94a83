import { DAY, duration, HOUR } from '#libs/kernel';
import { ROLES } from '#libs/identity';
import { isIP } from 'node:net';
import { z } from 'zod';

/** An address or a network in CIDR notation. */
const network = z.string().refine((text) => {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  return (
    family !== 0 &&
    rest.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  );
}, 'expected an address such as 127.0.0.1, or a network such as 10.0.0.0/8');

/** Where the API is, seen from outside: what a reverse proxy in front of it makes of it. */
export const publicUrlSchema = z
  .url({ protocol: /^https?$/, error: 'expected an address that begins with https:// or http://' })
  .transform((text) => new URL(text))
  .refine(
    ({ search, hash, username }) => search === '' && hash === '' && username === '',
    'expected an address without query, fragment and user',
  )
  .transform(({ origin, pathname }) => ({ origin, path: pathname.replace(/\/+$/, '') }));

/** Proxies in front of the API whose `X-Forwarded-…` are believed; nobody's by default. */
export const trustProxySchema = z.array(network).max(100).default([]);

export const accountsSchema = z
  .strictObject({
    /** Without a request for so long a session ends. */
    sessionIdle: duration.default(8 * HOUR),
    /** Whatever happens a session ends after this. */
    sessionLifetime: duration.default(7 * DAY),
    /** Roles that need a second factor. */
    secondFactor: z.array(z.enum(ROLES)).default([]),
  })
  .prefault({});
