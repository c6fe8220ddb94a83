import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');

/** The colours of a scheme, and those that are the same in both. */
function tokensOf(scheme: 'light' | 'dark'): ReadonlyMap<string, string> {
  const found = [
    ...css.matchAll(/--([\w-]+): (?:light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)|(#[0-9a-f]{6}));/g),
  ];
  return new Map(
    found.map(([, name = '', light, dark, both]) => [
      name,
      both ?? (scheme === 'light' ? light : dark) ?? '',
    ]),
  );
}

/** Relative luminance (WCAG 2.2). */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const TEXTS = ['text', 'muted', 'accent', 'good', 'warn', 'bad', 'unknown'];
const SURFACES = ['ground', 'surface', 'raised'];

describe.each(['light', 'dark'] as const)('the %s colours', (scheme) => {
  const tokens = tokensOf(scheme);

  it.each(TEXTS.flatMap((text) => SURFACES.map((surface) => [text, surface] as const)))(
    'let %s be read on %s',
    (text, surface) => {
      expect(contrast(tokens.get(text)!, tokens.get(surface)!)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it('let a button and the map be read', () => {
    expect(contrast(tokens.get('on-accent')!, tokens.get('accent')!)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(tokens.get('text')!, tokens.get('land')!)).toBeGreaterThanOrEqual(4.5);
    // What bounds a field is no text (WCAG 1.4.11).
    expect(contrast(tokens.get('edge')!, tokens.get('ground')!)).toBeGreaterThanOrEqual(3);
  });
});

it("a number on the law's colours can be read", () => {
  const root = tokensOf('light');
  const dark = ['baik', 'tidak-sehat', 'sangat-tidak-sehat'];
  for (const [name, colour] of root)
    if (name.startsWith('ispu-')) {
      const on = root.get(dark.includes(name.slice(5)) ? 'on-ispu-dark' : 'on-ispu-light')!;
      expect([name, contrast(colour, on) >= 4.5]).toEqual([name, true]);
    }
  expect([root.get('ispu-baik'), root.get('ispu-berbahaya')]).toEqual(['#00a651', '#000000']);
});
