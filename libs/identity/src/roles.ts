/** What people are. */
export const ROLES = ['viewer', 'operator', 'evaluator', 'administrator'] as const;
export type Role = (typeof ROLES)[number];

interface PermissionDefinition {
  /** Who may. */
  readonly roles: readonly Role[];
  /** Whether a token of the API may hold it; without that only somebody who signed in. */
  readonly byToken: boolean;
  /** Whether a token that is limited to some sites may hold it: what it allows can be told by site. */
  readonly bySite: boolean;
  /** A token that holds it holds nothing else. */
  readonly alone: boolean;
  readonly id: string;
  readonly en: string;
}

/**
 * What each role may: the one table from which the guard, the OpenAPI document, `docs/accounts.md` and the authorisation matrix
 * come.
 */
export const PERMISSIONS = {
  display: {
    roles: ROLES,
    byToken: true,
    bySite: true,
    alone: true,
    id: 'melihat ikhtisar di layar dinding, dan tidak lebih',
    en: 'see the overview on a screen on a wall, and no more',
  },
  read: {
    roles: ROLES,
    byToken: true,
    bySite: true,
    alone: false,
    id: 'melihat lokasi, perangkat, pembacaan, peringatan, indikator',
    en: 'see sites, devices, readings, alerts, indicators',
  },
  examine: {
    roles: ['operator', 'evaluator', 'administrator'],
    byToken: true,
    bySite: true,
    alone: false,
    id: 'memeriksa kiriman asli, penolakan, dan neraca; menghitung ulang',
    en: 'examine what arrived, what was refused and the account; compute again',
  },
  operate: {
    roles: ['operator', 'administrator'],
    byToken: true,
    bySite: true,
    alone: false,
    id: 'mengirim perintah dan konfigurasi, menjalankan pemeriksaan penuh',
    en: 'send commands and configurations, run the full check',
  },
  register: {
    roles: ['administrator'],
    byToken: true,
    bySite: false,
    alone: false,
    id: 'mendaftarkan lokasi dan perangkat, membuat kata sandi perangkat',
    en: 'register sites and devices, make passwords of devices',
  },
  administer: {
    roles: ['administrator'],
    byToken: true,
    bySite: false,
    alone: false,
    id: 'melihat orang dan token serta mengakhiri sesi dan token mereka, membaca catatan audit',
    en: 'see people and tokens and end what they hold, read the audit log',
  },
  'manage-users': {
    roles: ['administrator'],
    byToken: false,
    bySite: false,
    alone: false,
    id: 'menambah dan mengubah orang, memberi peran, tautan, mencabut faktor kedua',
    en: 'add and change people, give roles and links, take second factors away',
  },
  mint: {
    roles: ['administrator'],
    byToken: false,
    bySite: false,
    alone: false,
    id: 'membuat token',
    en: 'make tokens',
  },
  self: {
    roles: ROLES,
    byToken: false,
    bySite: false,
    alone: false,
    id: 'mengurus akun dan sesi sendiri',
    en: 'look after the own account and sessions',
  },
} as const satisfies Readonly<Record<string, PermissionDefinition>>;

export type Permission = keyof typeof PERMISSIONS;
export const PERMISSION_NAMES = Object.keys(PERMISSIONS) as readonly Permission[];

/** The roles that have a permission. */
export function rolesWith(permission: Permission): readonly Role[] {
  return PERMISSIONS[permission].roles;
}

/** What a role allows; to a token less than to somebody who signed in, and nothing that it would have to hold alone. */
export function permissionsOf(role: Role, by: 'user' | 'token'): readonly Permission[] {
  return PERMISSION_NAMES.filter((name) => {
    const { byToken, alone } = PERMISSIONS[name];
    return rolesWith(name).includes(role) && (by === 'user' || (byToken && !alone));
  });
}

/** What a token may hold at all. */
export const TOKEN_SCOPES: readonly Permission[] = PERMISSION_NAMES.filter(
  (name) => PERMISSIONS[name].byToken,
);

/** Who a request comes from. */
export interface Principal {
  readonly name: string;
  readonly kind: 'user' | 'token';
  readonly permissions: readonly Permission[];
  /** Only of these sites, of none where it is empty; of all where it is absent. */
  readonly sites?: readonly string[];
  /** When the token ends. */
  readonly expiresAt?: number;
}
