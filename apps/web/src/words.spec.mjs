import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'svelte/compiler';

const SOURCES = import.meta.dirname;
const components = readdirSync(SOURCES, { recursive: true }).filter((path) => path.endsWith('.svelte'));

/** Attributes that people read or hear. */
const READ = new Set([
  'alt',
  'aria-label',
  'aria-description',
  'label',
  'placeholder',
  'title',
  'caption',
  'hint',
]);
/** What is the same in every language: the name of the product, signs. */
const SAME = /^(Pantau|[^\p{L}]*)$/u;
/** Names of languages, each in its own, are no words of the page. */
const COMPONENTS_WITH_NAMES = new Set(['shell/Choices.svelte']);

/** Text of a component that does not come from a dictionary. */
function textOf(source) {
  const found = [];
  const look = (node, within) => {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) {
      for (const one of node) look(one, within);
      return;
    }
    if (node.type === 'Text' && (within === undefined || READ.has(within))) found.push(node.data);
    const name = node.type === 'Attribute' ? node.name : within;
    for (const [member, value] of Object.entries(node)) if (member !== 'parent') look(value, name);
  };
  const { fragment } = parse(source, { modern: true });
  look(fragment, undefined);
  return found.map((text) => text.trim()).filter((text) => text !== '' && !SAME.test(text));
}

describe('the words of the page', () => {
  it('are seen where they stand outside of a dictionary', () => {
    expect(textOf('<p>Halo</p><p>{words.x}</p><img alt="Peta" class="map" />')).toEqual(['Halo', 'Peta']);
  });

  it.each(components.filter((path) => !COMPONENTS_WITH_NAMES.has(path)))(
    'of %s stand in a dictionary',
    (path) => {
      expect(textOf(readFileSync(join(SOURCES, path), 'utf8'))).toEqual([]);
    },
  );

  it('have no style of their own in the markup, which the policy of the page refuses', () => {
    const inline = components.filter((path) => /\sstyle="/.test(readFileSync(join(SOURCES, path), 'utf8')));
    expect(inline).toEqual([]);
  });
});
