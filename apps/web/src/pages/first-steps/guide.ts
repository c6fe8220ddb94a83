import type { Guide, GuideSpan } from 'virtual:guides';
import type { LanguageCode } from '../../core/language.svelte';

/** What stands in the settings in the place of the examples. */
export interface Own {
  readonly device: string;
  readonly host: string;
  readonly port: string;
  /** Where devices post. */
  readonly httpPort: string;
  /** Unknown unless it was made a moment ago. */
  readonly password?: string | undefined;
}

const WORDS = {
  id: { host: 'ALAMAT-PANTAU', password: 'KATA-SANDI' },
  en: { host: 'ADDRESS-OF-PANTAU', password: 'PASSWORD' },
} as const;
/** The ports of the examples. */
const USUAL_PORTS = { mqtt: '1883', http: '8081' } as const;

/** A text of a guide with the reader's own names. */
export function filled(
  text: string,
  { client }: Pick<Guide, 'client'>,
  { device, host, port, httpPort, password }: Own,
  language: LanguageCode,
): string {
  const words = WORDS[language];
  const places = new Map([
    [client, device],
    [words.host, host],
    [words.password, password ?? words.password],
    [USUAL_PORTS.mqtt, port],
    [USUAL_PORTS.http, httpPort],
  ]);
  const names = [...places.keys()].map((name) => name.replaceAll(/[.\\]/g, String.raw`\$&`)).join('|');
  return text.replaceAll(new RegExp(String.raw`(?<![\w-])(?:${names})(?![\w-])`, 'g'), (name) =>
    String(places.get(name)),
  );
}

/** How a device of this maker comes to Pantau. */
export function waysOf(guide: Guide): readonly ('mqtt' | 'http')[] {
  const text = textOf(guide, 'en');
  return (['mqtt', 'http'] as const).filter((by) =>
    new RegExp(String.raw`(?<![\w-])${USUAL_PORTS[by]}(?![\w-])`).test(text),
  );
}

/** All that a guide says in a language, as one text. */
export function textOf(guide: Guide, language: LanguageCode): string {
  const said = (spans: readonly GuideSpan[]): string =>
    spans.map((span) => ('code' in span ? span.code : span.text)).join('');
  return guide[language]
    .map((block) => {
      if (block.kind === 'code') return block.text;
      if (block.kind === 'text') return said(block.spans);
      if (block.kind === 'steps') return block.items.map(said).join('\n');
      return [block.head, ...block.body].map((row) => row.map(said).join(' ')).join('\n');
    })
    .join('\n');
}
