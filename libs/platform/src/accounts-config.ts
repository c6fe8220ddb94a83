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

const groups = z.array(z.string().min(1)).default([]);
/** Single sign-on at a server of OpenID Connect. */
const openIdConnectSchema = z.strictObject({
  issuer: z.url({ protocol: /^https?$/ }).refine((text) => {
    const { protocol, hostname } = new URL(text);
    return protocol === 'https:' || hostname === '127.0.0.1' || hostname === 'localhost';
  }, 'expected https://'),
  clientId: z.string().min(1),
  /** Better given as `PANTAU_OIDC_CLIENT_SECRET`. */
  clientSecret: z.string().min(1),
  scope: z.string().default('openid profile'),
  /** The claim that holds the groups of somebody. */
  rolesClaim: z.string().min(1).default('groups'),
  /** The groups of each role. */
  roles: z.strictObject({ viewer: groups, operator: groups, evaluator: groups, administrator: groups }),
});

/** The sign-on server sends browsers back to one address. */
export function signOnHasAddress(
  { accounts, http }: { accounts: { openIdConnect?: unknown }; http: { publicUrl?: unknown } },
  context: z.RefinementCtx,
): void {
  if (accounts.openIdConnect === undefined || http.publicUrl !== undefined) return;
  context.addIssue({
    code: 'custom',
    path: ['http', 'publicUrl'],
    message: 'expected the address that browsers use: accounts.openIdConnect sends them back to it',
  });
}

export const accountsSchema = z
  .strictObject({
    /** Without a request for so long a session ends. */
    sessionIdle: duration.default(8 * HOUR),
    /** Whatever happens a session ends after this. */
    sessionLifetime: duration.default(7 * DAY),
    openIdConnect: openIdConnectSchema.optional(),
    /** Roles that need a second factor. */
    secondFactor: z.array(z.enum(ROLES)).default([]),
  })
  .prefault({});
