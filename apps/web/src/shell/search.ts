/** A place that somebody may look for. */
export interface Found {
  readonly kind: 'page' | 'site' | 'air' | 'camera' | 'gateway';
  readonly name: string;
  readonly id: string;
  readonly path: string;
}

const MOST = 30;

/** Those whose name or id has every word of the text, those that begin with it first. */
export function ranked(all: readonly Found[], text: string): readonly Found[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const plain = ({ name, id }: Found): string => `${name} ${id}`.toLowerCase();
  const begins = (one: Found): boolean =>
    plain(one).startsWith(words[0] ?? '') || one.id.startsWith(words[0] ?? '');
  return all
    .filter((one) => words.every((word) => plain(one).includes(word)))
    .sort((a, b) => Number(begins(b)) - Number(begins(a)) || a.name.localeCompare(b.name))
    .slice(0, MOST);
}
