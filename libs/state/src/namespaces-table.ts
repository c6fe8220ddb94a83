import { boundText } from './bound.js';
import type { NamespaceDefinition } from './namespace.js';

/** Namespaces as a table in Markdown, for `docs/architecture.md`. `npm run docs:schema` writes it there. */
export function namespacesTable(definitions: readonly NamespaceDefinition[]): string {
  const rows = definitions
    .toSorted((a, b) => (a.owner + a.name < b.owner + b.name ? -1 : 1))
    .map(({ name, owner, key, value, description, bound, published }) => {
      const asked = published === undefined ? '–' : `\`${published.query}\`: ${published.readers.join(', ')}`;
      return `| \`${name}\` | ${owner} | ${key} | \`${value.replaceAll('|', '\\|')}\` | ${asked} | ${description} | ${boundText(bound)} |`;
    });
  return [
    '| namespace | owner | key | value | asked through, by | what a row is | how long it is there |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
