import { STREAM_NAMES, STREAMS } from './catalogue.js';

/** The catalogue as a table in Markdown, for `docs/architecture.md`. `npm run docs:schema` writes it there. */
export function streamsTable(): string {
  const rows = STREAM_NAMES.map((name) => {
    const { entry, key, appendedBy, description, retention, ...traits } = STREAMS[name];
    const stored = 'form' in traits ? 'list' : 'map';
    const kept = retention === 'forever' ? 'for ever' : 'as configured';
    return `| \`${name}\` | \`${entry}\` | ${key} | ${appendedBy.join(', ')} | ${stored} | ${kept} | ${description} |`;
  });
  return [
    '| stream | entry | key | appended by | stored as | kept | what an entry is |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
