import type { Component } from 'svelte';
import type { Permission } from './api/session.svelte';
import { words } from './shell/words';

/** A page of the page. */
export interface Route {
  /** `:name` stands for one part, which the page gets as a property. */
  readonly path: string;
  readonly title: () => string;
  /** Who may see it. */
  readonly permission?: Permission;
  readonly inNavigation?: boolean;
  /** For who is not signed in, and without what stands around the others. */
  readonly isPublic?: boolean;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each has the properties that its path names
  readonly load: () => Promise<{ readonly default: Component<any> }>;
}

/** Every page; what is not here does not exist. */
export const routes: readonly Route[] = [
  {
    path: '/',
    title: () => words.overview,
    permission: 'read',
    inNavigation: true,
    load: () => import('./pages/overview/Overview.svelte'),
  },
  {
    path: '/perangkat/:device',
    title: () => words.device,
    permission: 'read',
    load: () => import('./pages/device/Device.svelte'),
  },
  {
    path: '/alerts',
    title: () => words.alerts,
    permission: 'read',
    inNavigation: true,
    load: () => import('./pages/alerts/Alerts.svelte'),
  },
  {
    path: '/alerts/:rule/:device/:since',
    title: () => words.alert,
    permission: 'read',
    load: () => import('./pages/alerts/Alert.svelte'),
  },
  {
    path: '/indicators',
    title: () => words.indicators,
    permission: 'read',
    inNavigation: true,
    load: () => import('./pages/indicators/Indicators.svelte'),
  },
  {
    path: '/indicators/:indicator/:subject/:period',
    title: () => words.figure,
    permission: 'read',
    load: () => import('./pages/indicators/FigurePage.svelte'),
  },
  {
    path: '/refused',
    title: () => words.refused,
    permission: 'examine',
    inNavigation: true,
    load: () => import('./pages/refused/Refused.svelte'),
  },
  {
    path: '/account-of-messages',
    title: () => words.accountOfMessages,
    permission: 'examine',
    inNavigation: true,
    load: () => import('./pages/account-of-messages/AccountOfMessages.svelte'),
  },
  {
    path: '/readings/:device/:parameter/:ts',
    title: () => words.reading,
    permission: 'examine',
    load: () => import('./pages/journal/Reading.svelte'),
  },
  {
    path: '/journal/:stream/:shard/:offset',
    title: () => words.journal,
    permission: 'examine',
    load: () => import('./pages/journal/Entry.svelte'),
  },
  {
    path: '/registry',
    title: () => words.registry,
    permission: 'read',
    inNavigation: true,
    load: () => import('./pages/registry/Registry.svelte'),
  },
  {
    path: '/registry/sites',
    title: () => words.sites,
    permission: 'read',
    load: () => import('./pages/registry/Sites.svelte'),
  },
  {
    path: '/registry/import',
    title: () => words.bulk,
    permission: 'register',
    load: () => import('./pages/registry/Import.svelte'),
  },
  {
    path: '/registry/accounts',
    title: () => words.accounts,
    permission: 'register',
    load: () => import('./pages/registry/accounts/ServiceAccounts.svelte'),
  },
  {
    path: '/registry/topics',
    title: () => words.topics,
    permission: 'examine',
    load: () => import('./pages/registry/Topics.svelte'),
  },
  {
    path: '/first-steps',
    title: () => words.firstSteps,
    permission: 'register',
    load: () => import('./pages/first-steps/FirstSteps.svelte'),
  },
  {
    path: '/admin/users',
    title: () => words.administration,
    permission: 'administer',
    inNavigation: true,
    load: () => import('./pages/admin/Users.svelte'),
  },
  {
    path: '/admin/tokens',
    title: () => words.tokens,
    permission: 'administer',
    load: () => import('./pages/admin/Tokens.svelte'),
  },
  {
    path: '/admin/audit',
    title: () => words.audit,
    permission: 'administer',
    load: () => import('./pages/admin/Audit.svelte'),
  },
  {
    path: '/admin/health',
    title: () => words.health,
    permission: 'administer',
    load: () => import('./pages/admin/HealthPage.svelte'),
  },
  {
    path: '/account',
    title: () => words.account,
    permission: 'self',
    load: () => import('./pages/account/Account.svelte'),
  },
  {
    path: '/gaya',
    title: () => words.style,
    load: () => import('./pages/style/Style.svelte'),
  },
  {
    path: '/layar',
    title: () => words.display,
    isPublic: true,
    load: () => import('./pages/display/DisplayPage.svelte'),
  },
  {
    path: '/link',
    title: () => words.link,
    isPublic: true,
    load: () => import('./shell/UseLink.svelte'),
  },
];
