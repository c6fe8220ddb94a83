import { href } from '../../core/base';
import { words as shell } from '../../shell/words';
import { words } from './words';

export type Role = keyof typeof shell.roles;

const ROLES: readonly Role[] = ['viewer', 'operator', 'evaluator', 'administrator'];

export const isRole = (text: string): text is Role => ROLES.includes(text as Role);

export const roleOptions = (): { value: Role; title: string }[] =>
  ROLES.map((role) => ({ value: role, title: `${shell.roles[role]}: ${words.roleHints[role]}` }));

/** The address that a one-time link is used at; what makes it valid stands behind `#`, which no server sees. */
export const addressOf = (link: string): string => `${location.origin}${href('/link')}#${link}`;
