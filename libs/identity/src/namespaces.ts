import type { UtcMillis } from '#libs/kernel';
import { defineNamespace } from '#libs/state';
import type { SettingsEntry } from '#libs/streams';
import type { Device, ServiceAccount, Site } from './registered.js';
import type { Permission } from './roles.js';

export const SITES = defineNamespace<Site>({
  name: 'registry/sites',
  owner: 'identity',
  key: 'site',
  value: 'Site',
  description: 'A place with devices.',
});

export const DEVICES = defineNamespace<Device>({
  name: 'registry/devices',
  owner: 'identity',
  key: 'device',
  value: 'Device',
  description: 'A registered device.',
});

export const REGISTRY = defineNamespace<string>({
  name: 'registry',
  owner: 'identity',
  key: '`revision`',
  value: 'string',
  description: 'Another text after every change of sites and devices.',
});

export const SETTINGS_HISTORY = defineNamespace<SettingsEntry>({
  name: 'settings/history',
  owner: 'identity',
  key: 'name/from',
  value: 'SettingsEntry',
  description: 'What a setting is and was, as the stream `settings` says it.',
});

export const ACCOUNTS = defineNamespace<ServiceAccount>({
  name: 'identity/accounts',
  owner: 'identity',
  key: 'account',
  value: 'ServiceAccount',
  description: 'A service account.',
});

export interface StoredToken {
  readonly name: string;
  /** What it allows. */
  readonly scopes?: readonly Permission[];
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
});

export const TOKEN_USES = defineNamespace<UtcMillis>({
  name: 'identity/token-uses',
  owner: 'identity',
  key: 'name',
  value: 'UtcMillis',
  description: 'When a token of the API was used last, to the minute.',
});

export const SECRETS = defineNamespace<Uint8Array>({
  name: 'identity/secrets',
  owner: 'identity',
  key: 'audience',
  value: 'Uint8Array',
  description: 'What short-lived passwords are signed with.',
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
});

export const USES = defineNamespace<string>({
  name: 'identity/provisioning-uses',
  owner: 'identity',
  key: 'key/place',
  value: 'string',
  description: 'The device that a use of a key brought in.',
});
