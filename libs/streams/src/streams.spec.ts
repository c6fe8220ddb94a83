import { readFileSync } from 'node:fs';
import { STREAM_NAMES, STREAMS } from './catalogue.js';
import { streamsTable } from './streams-table.js';

/** Prettier pads the cells of a table; what they say is the same. */
const cells = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '-')));

describe('the catalogue of streams', () => {
  it('is the table in docs/architecture.md (npm run docs:schema writes it)', () => {
    const text = readFileSync('docs/architecture.md', 'utf8');
    const [, written = ''] = /<!-- streams -->\n([^]*?)<!-- \/streams -->/.exec(text) ?? [];
    expect(cells(written)).toEqual(cells(streamsTable()));
  });

  it.each(STREAM_NAMES)('names the type of the entries of %s as TypeScript does', (name) => {
    const source = readFileSync('libs/streams/src/catalogue.ts', 'utf8');
    expect(source).toContain(`  ${name}: of<${STREAMS[name].entry}>(`);
  });
});
