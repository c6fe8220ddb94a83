import { boundsFault, parseJson, parseYamlDocument, REQUEST_BOUNDS, type Bounds } from './index.js';

const BOUNDS: Bounds = { depth: 4, members: 10, bytes: 1_000 };
const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('the door for values from outside', () => {
  it.each([
    ['just deep enough', lists(4), undefined],
    ['one too deep', `{"params":${lists(4)}}`, 'params: nested too deep; at most 4'],
    ['a hundred thousand too deep', `{"params":${lists(100_000)}}`, 'JSON: too large'],
    ['as many members as may be', `[${'1,'.repeat(9)}1]`, undefined],
    [
      'one member too many',
      `{"a":{"b":[${'1,'.repeat(10)}1]}}`,
      'a.b: too many members and items; at most 10',
    ],
    ['too many bytes', JSON.stringify('x'.repeat(1_000)), 'JSON: too large; at most 1000 bytes'],
    ['no JSON, and deep', '['.repeat(5), 'JSON: nested 5 deep; at most 4'],
  ])('judges JSON that is %s', (_name, json, message) => {
    const parse = (): unknown => parseJson(json, BOUNDS);
    if (message === undefined) expect(parse()).toBeDefined();
    else expect(parse).toThrow(`INPUT_LIMIT: ${message}`);
  });

  it('needs no stack for a value of any depth', () => {
    const value: unknown = JSON.parse(`{"configuration":${lists(1_000_000)}}`);
    expect(boundsFault(value, REQUEST_BOUNDS)).toMatchObject({ field: 'configuration', kind: 'depth' });
  });

  it.each([
    ['lists in brackets', `a: ${lists(1_000_000)}`],
    ['maps in braces', `a: ${'{a: '.repeat(100_000)}`],
    ['items within items', `a:\n  ${'- '.repeat(1_000_000)}x`],
    ['indentation', Array.from({ length: 2_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['keys within keys', '? '.repeat(100_000)],
  ])('keeps a YAML file with deep %s from the parser, and names the line', (_name, text) => {
    expect(() => parseYamlDocument(text, 'pantau.yaml')).toThrow(
      /^INPUT_LIMIT: pantau\.yaml(:\d+)?: .*too deep/,
    );
  });

  it('keeps aliases from multiplying', () => {
    const text = Array.from(
      { length: 12 },
      (_, i) =>
        `a${i}: &a${i} [${Array(9)
          .fill(i === 0 ? 'x' : `*a${i - 1}`)
          .join(', ')}]`,
    );
    expect(() => parseYamlDocument(text.join('\n'), 'pantau.yaml')).toThrow('INPUT_LIMIT');
  });
});
