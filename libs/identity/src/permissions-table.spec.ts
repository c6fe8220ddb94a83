import { readFileSync } from 'node:fs';
import { permissionsTable } from './permissions-table.js';

/** Prettier pads the cells of a table; what they say is the same. */
const cells = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '-')));

describe('what each role may', () => {
  it('is the table in docs/accounts.md (npm run docs:schema writes it)', () => {
    const text = readFileSync('docs/accounts.md', 'utf8');
    const [, written = ''] = /<!-- permissions -->\n([^]*?)<!-- \/permissions -->/.exec(text) ?? [];
    expect(cells(written)).toEqual(cells(permissionsTable()));
  });
});
