import { PERMISSION_NAMES, PERMISSIONS, ROLES, rolesWith } from './roles.js';

/** What each role may, as a table in Markdown, for `docs/accounts.md`. `npm run docs:schema` writes it there. */
export function permissionsTable(): string {
  const rows = PERMISSION_NAMES.map((name) => {
    const { id, en, byToken } = PERMISSIONS[name];
    const marks = [...ROLES.map((role) => rolesWith(name).includes(role)), byToken];
    return `| \`${name}\` | ${marks.map((has) => (has ? '✓' : '–')).join(' | ')} | ${id} / ${en} |`;
  });
  return [
    `| izin / permission | ${ROLES.join(' | ')} | token | boleh / may |`,
    `| --- | ${ROLES.map(() => '---').join(' | ')} | --- | --- |`,
    ...rows,
  ].join('\n');
}
