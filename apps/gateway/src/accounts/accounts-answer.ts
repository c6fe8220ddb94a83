import { PERMISSION_NAMES, ROLES, type OpenSession, type Permission } from '#libs/identity';
import { z } from 'zod';

const permission = z.enum(PERMISSION_NAMES as readonly [Permission, ...Permission[]]);
const instant = z.iso.datetime();

export const sessionSchema = z.strictObject({
  user: z.string(),
  fullName: z.string().optional(),
  role: z.enum(ROLES),
  permissions: z.array(permission),
  secondFactor: z
    .enum(['none', 'active', 'missing'])
    .describe('`missing`: the role needs one, and allows nothing before'),
  csrfToken: z.string().describe('To be sent as `X-CSRF-Token` with every change'),
});

export const sessionsSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      id: z.string(),
      isThis: z.boolean().describe('Whether it is the session that asks'),
      createdAt: instant,
      lastSeenAt: instant,
      address: z.string(),
      agent: z.string().optional(),
    }),
  ),
});

export const userItem = z.strictObject({
  name: z.string(),
  fullName: z.string().optional(),
  role: z.enum(ROLES),
  disabled: z.boolean(),
  createdAt: instant,
  hasPassword: z.boolean(),
  hasSecondFactor: z.boolean(),
});
export const usersSchema = z.strictObject({
  items: z.array(
    userItem.extend({
      openSessions: z.int().min(0),
      lastSeenAt: instant.optional().describe('In one of the open sessions'),
    }),
  ),
});
export const linkSchema = z.strictObject({
  link: z.string().describe('To set a password with, once; shown this once'),
});
export const linkUsedSchema = z.strictObject({ user: z.string() });
export const doneSchema = z.strictObject({ ended: z.string() });

export const secretSchema = z.strictObject({
  secret: z.string().describe('Base32; shown this once'),
  uri: z.string().describe('`otpauth:`, for a QR code'),
});
export const recoverySchema = z.strictObject({
  recoveryCodes: z.array(z.string()).describe('Each is valid once; shown this once'),
  session: sessionSchema,
});

export const tokensSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      name: z.string(),
      scopes: z.array(permission),
      sites: z.array(z.string()).optional().describe('Of these alone; of all without it'),
      madeBy: z.string().optional().describe('With whom it ends; nobody where the command line made it'),
      createdAt: instant,
      expiresAt: instant.optional(),
      lastUsedAt: instant.optional(),
    }),
  ),
});

export function shownSession({
  user,
  principal,
  secondFactor,
  csrfToken,
}: OpenSession): z.output<typeof sessionSchema> {
  const { name, fullName, role } = user;
  return {
    user: name,
    ...(fullName === undefined ? {} : { fullName }),
    ...{ role, permissions: [...principal.permissions], secondFactor, csrfToken },
  };
}

/** The same with its times (`…At`) as ISO 8601, and without what is absent. */
export function withTimes<T extends object>(
  item: T,
): { [K in keyof T]: K extends `${string}At` ? string : T[K] } {
  return Object.fromEntries(
    Object.entries(item)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]: [string, unknown]) => [
        name,
        name.endsWith('At') && typeof value === 'number' ? new Date(value).toISOString() : value,
      ]),
  ) as { [K in keyof T]: K extends `${string}At` ? string : T[K] };
}
