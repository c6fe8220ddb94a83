import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What the pages of the codecs (`devices/codecs/<name>/README.md`) say of the settings of a device, as data: the parts between
 * `<!-- settings -->` and `<!-- /settings -->`, Indonesian and English. Nothing of it is written a second time.
 */
export function guidesOf(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, ...guideOf(readFileSync(join(folder, name, 'README.md'), 'utf8')) }))
    .sort((a, b) => a.title.localeCompare(b.title));
}

const HALVES = /\n(?:---\n\n# |## English\n)/;

/** @param page - the text of such a page */
export function guideOf(page) {
  const [indonesian, english] = page.split(HALVES);
  const title = /^# (.+)$/m.exec(page)?.[1]?.replaceAll('`', '') ?? '';
  return { title, ...devicesOf(indonesian), id: settingsOf(indonesian), en: settingsOf(english) };
}

/** The examples that the page registers: the last one is who signs in, and speaks for the others. */
function devicesOf(half = '') {
  const devices = [...half.matchAll(/device add (\S+)/g)].map(([, id]) => id);
  const client = devices.at(-1);
  return { client, behind: devices.slice(0, -1) };
}

function settingsOf(half = '') {
  const text = /<!-- settings -->\n([^]*?)<!-- \/settings -->/.exec(half)?.[1] ?? '';
  return blocksOf(text.trim());
}

/** As much of Markdown as these parts use: paragraphs, numbered steps, tables, and blocks of code. */
function blocksOf(text) {
  const blocks = [];
  const pieces = text.split(/(```\w*\n[^]*?\n```)/);
  for (const piece of pieces) {
    const code = /^```\w*\n([^]*?)\n```$/.exec(piece)?.[1];
    if (code !== undefined) blocks.push({ kind: 'code', text: code });
    else for (const part of piece.split(/\n{2,}/)) blocks.push(...blockOf(part.trim()));
  }
  return blocks;
}

function blockOf(part) {
  if (part === '') return [];
  const lines = part.split('\n');
  if (part.startsWith('|')) {
    const rows = lines.map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => spansOf(cell.trim())),
    );
    const [head, , ...body] = rows;
    return [{ kind: 'table', head, body }];
  }
  if (/^\d+\. /.test(part)) {
    const items = part.split(/\n?^\d+\. /m).slice(1);
    return [{ kind: 'steps', items: items.map((item) => spansOf(joined(item))) }];
  }
  return [{ kind: 'text', spans: spansOf(joined(part)) }];
}

const joined = (text) => text.replaceAll(/\s*\n\s*/g, ' ').trim();

/** Text and code; emphasis is left out, of a link its text stays. */
function spansOf(text) {
  return text
    .split(/(`[^`]+`)/)
    .filter((part) => part !== '')
    .map((part) =>
      part.startsWith('`')
        ? { code: part.slice(1, -1) }
        : { text: part.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/_([^_]+)_/g, '“$1”') },
    );
}

const NAME = 'virtual:guides';

/** For Vite: the guides as a module of the page. */
export function guides(folder) {
  return {
    name: 'guides',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined;
      for (const one of guidesOf(folder)) this.addWatchFile(join(folder, one.name, 'README.md'));
      return `export const guides = ${JSON.stringify(guidesOf(folder))};`;
    },
  };
}
