import type { UtcMillis } from '#libs/kernel';
import { defineNamespace } from '#libs/state';
import type { AuditEntry, SettingsEntry } from '#libs/streams';
import { z } from 'zod';
import type { Device, ServiceAccount, Site } from './registered.js';
import { ROLES, type Permission, type Role } from './roles.js';

const bytes = z.instanceof(Uint8Array);
/** SHA-256; one of another length cannot be compared. */
const digest = bytes.refine(({ length }) => length === 32, 'expected 32 bytes');
const texts = z.array(z.string());

export const SITES = defineNamespace<Site>({
  name: 'registry/sites',
  owner: 'identity',
  key: 'site',
  value: 'Site',
  description: 'A place with devices.',
  bound: { rowsFor: 'each site' },
  shape: z.object({ id: z.string(), name: z.string() }),
});

export const DEVICES = defineNamespace<Device>({
  name: 'registry/devices',
  owner: 'identity',
  key: 'device',
  value: 'Device',
  description: 'A registered device.',
  bound: { rowsFor: 'each device' },
  shape: z.object({
    ...{ id: z.string(), site: z.string(), kind: z.string(), name: z.string(), intervalMs: z.number() },
    speaksFor: texts.optional(),
    sensors: z.record(z.string(), z.string()).optional(),
  }),
});

export const REGISTRY = defineNamespace<string>({
  name: 'registry',
  owner: 'identity',
  key: '`revision`',
  value: 'string',
  description: 'Another text after every change of sites, devices and mappings of topics.',
  bound: { rowsFor: 'the installation' },
  shape: z.string(),
});

export const SETTINGS_HISTORY = defineNamespace<SettingsEntry>({
  name: 'settings/history',
  owner: 'identity',
  key: 'name/from',
  value: 'SettingsEntry',
  description: 'What a setting is and was, as the stream `settings` says it.',
  bound: { forever: 'a figure is computed with the settings of its time' },
  shape: z.object({ name: z.string(), from: z.number(), at: z.number(), digest: z.string() }),
});

export const ACCOUNTS = defineNamespace<ServiceAccount>({
  name: 'identity/accounts',
  owner: 'identity',
  key: 'account',
  value: 'ServiceAccount',
  description: 'A service account.',
  bound: { rowsFor: 'each service account' },
  shape: z.object({ id: z.string(), publish: texts, subscribe: texts }),
});

export interface StoredToken {
  readonly name: string;
  /** What it allows. */
  readonly scopes?: readonly Permission[];
  /** The sites of which it allows it, none where there is none; all where it is absent. */
  readonly sites?: readonly string[];
  /** Who made it, and ends it with a new generation; nobody when the command line did. */
  readonly owner?: { readonly user: string; readonly generation: number };
  /** In its place in tokens of earlier versions: admin, operator, evaluator. */
  readonly role?: string;
  /** Absent in tokens of earlier versions, which never expire. */
  readonly expiresAt?: UtcMillis;
  /** SHA-256 of the secret. A token has 256 random bits, so a slow hash would add nothing. */
  readonly digest: Uint8Array;
  readonly createdAt: UtcMillis;
}

export const TOKENS = defineNamespace<StoredToken>({
  name: 'identity/tokens',
  owner: 'identity',
  key: 'name',
  value: 'StoredToken',
  description: 'The digest of a token of the API, and what it allows.',
  bound: { rowsFor: 'each token that somebody made' },
  shape: z.object({
    ...{ name: z.string(), digest, createdAt: z.number(), expiresAt: z.number().optional() },
    // Without its sites it would be a token of all.
    ...{ scopes: texts.optional(), sites: texts.optional(), role: z.string().optional() },
    owner: z.object({ user: z.string(), generation: z.number() }).optional(),
  }),
});

export const TOKEN_USES = defineNamespace<UtcMillis>({
  name: 'identity/token-uses',
  owner: 'identity',
  key: 'name',
  value: 'UtcMillis',
  description: 'When a token of the API was used last, to the minute.',
  bound: { rowsFor: 'each token' },
  shape: z.number(),
});

export const SECRETS = defineNamespace<Uint8Array>({
  name: 'identity/secrets',
  owner: 'identity',
  key: 'audience',
  value: 'Uint8Array',
  description: 'What short-lived passwords are signed with.',
  bound: { rowsFor: 'each audience' },
  shape: bytes,
});

/** How a password is stored: scrypt (RFC 7914), memory-hard; the parameters stand beside the hash so that they can grow. */
export interface StoredCredential {
  readonly algorithm: 'scrypt';
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
  readonly issuedAt: UtcMillis;
}

export const CREDENTIALS = defineNamespace<StoredCredential>({
  name: 'identity/device-credentials',
  owner: 'identity',
  key: 'device or account',
  value: 'StoredCredential',
  description: 'The hash of a password.',
  bound: { rowsFor: 'each device and service account' },
  shape: z.object({
    ...{ cost: z.number(), blockSize: z.number(), parallelization: z.number() },
    ...{ salt: bytes, hash: digest },
  }),
});

/** The state of a device's access. Every password and token belongs to one generation and ends with it. */
export interface DeviceAccess {
  readonly generation: number;
  readonly revoked: boolean;
}

export const ACCESS = defineNamespace<DeviceAccess>({
  name: 'identity/device-access',
  owner: 'identity',
  key: 'device or account',
  value: 'DeviceAccess',
  description: 'What outlives a password: how often access was renewed, and whether it was taken away.',
  bound: { rowsFor: 'each device and service account' },
  shape: z.object({ generation: z.number(), revoked: z.boolean() }),
  // A generation that none was counted to: passwords and tokens of before end, whenever access is opened again.
  unreadable: { generation: 2 ** 40, revoked: true },
});

export interface StoredKey {
  readonly site: string;
  readonly digest: Uint8Array;
  /** How many devices it may bring in. */
  readonly uses: number;
  readonly expiresAt: UtcMillis;
}

export const KEYS = defineNamespace<StoredKey>({
  name: 'identity/provisioning-keys',
  owner: 'identity',
  key: 'key',
  value: 'StoredKey',
  description: 'A key with which devices of a site register themselves.',
  bound: { rowsFor: 'each key that somebody made' },
  shape: z.object({ site: z.string(), digest, uses: z.number(), expiresAt: z.number() }),
});

export const USES = defineNamespace<string>({
  name: 'identity/provisioning-uses',
  owner: 'identity',
  key: 'key/place',
  value: 'string',
  description: 'The device that a use of a key brought in.',
  bound: { rowsFor: 'each device that came in with a key' },
  shape: z.string(),
});

/** Somebody who signs in. */
export interface StoredUser {
  readonly name: string;
  readonly fullName?: string;
  readonly role: Role;
  /** Nobody gets in, whatever else is right. */
  readonly disabled: boolean;
  /** Sessions, links and tokens belong to one generation and end with it. */
  readonly generation: number;
  /** Display links outlive generations, but not this: those that were made in an earlier one are over. */
  readonly endedBefore?: number;
  readonly createdAt: UtcMillis;
  /** Argon2id (RFC 9106) with its parameters, in the PHC string format. Nobody without one signs in with a password. */
  readonly password?: string;
  /** Of an app (base32), and SHA-256 of each recovery code. */
  readonly secondFactor?: { readonly secret: string; readonly recovery: readonly Uint8Array[] };
  /** Of an app that has not shown a code yet. */
  readonly pendingSecret?: string;
}

export const USERS = defineNamespace<StoredUser>({
  name: 'identity/users',
  owner: 'identity',
  key: 'user',
  value: 'StoredUser',
  description: 'Somebody who signs in.',
  bound: { rowsFor: 'each user' },
  shape: z.object({
    ...{ name: z.string(), role: z.enum(ROLES), disabled: z.boolean(), generation: z.number() },
    ...{ createdAt: z.number(), password: z.string().optional(), pendingSecret: z.string().optional() },
    endedBefore: z.number().optional(),
    secondFactor: z.object({ secret: z.string(), recovery: z.array(digest) }).optional(),
  }),
});

export interface StoredSession {
  readonly user: string;
  readonly generation: number;
  /** SHA-256 of the secret in the cookie. */
  readonly digest: Uint8Array;
  readonly createdAt: UtcMillis;
  readonly lastSeenAt: UtcMillis;
  /** Where it was begun, for its owner to know it again. */
  readonly address: string;
  readonly agent?: string;
  /** Begun at the sign-on server, which looked at a second factor itself. */
  readonly isSignOn?: boolean;
}

export const SESSIONS = defineNamespace<StoredSession>({
  name: 'identity/sessions',
  owner: 'identity',
  key: 'session',
  value: 'StoredSession',
  description: 'Somebody is signed in.',
  bound: { until: 'it ended, when another one begins' },
  shape: z.object({
    ...{ user: z.string(), generation: z.number(), digest, address: z.string() },
    ...{ createdAt: z.number(), lastSeenAt: z.number(), isSignOn: z.boolean().optional() },
  }),
});

export interface StoredLink {
  readonly digest: Uint8Array;
  /** Whose password it sets; the first administrator's when there is nobody yet. */
  readonly user?: string;
  readonly generation: number;
  readonly expiresAt: UtcMillis;
}

export const LINKS = defineNamespace<StoredLink>({
  name: 'identity/links',
  owner: 'identity',
  key: 'link',
  value: 'StoredLink',
  description: 'A link with which somebody sets a password, once.',
  bound: { until: 'it is used or has expired, when another one is made' },
  shape: z.object({
    ...{ digest, user: z.string().optional(), generation: z.number(), expiresAt: z.number() },
  }),
});

export const SPENT = defineNamespace<UtcMillis>({
  name: 'identity/spent',
  owner: 'identity',
  key: 'kind/what',
  value: 'UtcMillis',
  description: 'When something was used that can be used once.',
  bound: {
    forever: 'a recovery code is used once, whatever is made of it later; ten for each second factor',
  },
  shape: z.number(),
});

/** What somebody is about to do. */
export type AuditIntent = Pick<AuditEntry, 'at' | 'by' | 'from' | 'action' | 'on'>;

export const AUDIT_INTENTS = defineNamespace<AuditIntent>({
  name: 'identity/audit-intents',
  owner: 'identity',
  key: 'intent',
  value: 'AuditIntent',
  description: 'A change that is being made; what is left becomes an entry of the audit log.',
  bound: { until: 'the change is in the audit log' },
  shape: z.object({
    ...{ at: z.number(), from: z.string(), action: z.string() },
    ...{ by: z.object({ kind: z.string(), name: z.string() }), on: z.record(z.string(), z.string()) },
  }),
});
