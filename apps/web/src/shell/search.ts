/** A place that somebody may look for. */
export interface Found {
  readonly kind: 'page' | 'site' | 'air' | 'camera' | 'gateway';
  readonly name: string;
  readonly id: string;
  readonly path: string;
}

const MOST = 30;
/** Made once: a comparison that makes one each time takes a slow machine seconds for a thousand names. */
const collator = new Intl.Collator();

/** Those whose name or id has every word of the text, those that begin with it first. */
export function ranked(all: readonly Found[], text: string): readonly Found[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const [first = ''] = words;
  return all
    .flatMap((one) => {
      const plain = `${one.name} ${one.id}`.toLowerCase();
      if (!words.every((word) => plain.includes(word))) return [];
      return [{ one, begins: plain.startsWith(first) || one.id.startsWith(first) }];
    })
    .sort((a, b) => Number(b.begins) - Number(a.begins) || collator.compare(a.one.name, b.one.name))
    .slice(0, MOST)
    .map(({ one }) => one);
}
