import { loadCodecs } from '#devices/codecs';
import { join } from 'node:path';
import { guideOf, guidesOf } from './guides.mjs';
import { filled, textOf, waysOf } from './src/pages/first-steps/guide';

const guides = guidesOf(join(import.meta.dirname, '../../devices/codecs'));
const OWN = {
  device: 'alat-77',
  host: 'pantau.contoh.id',
  port: '18830',
  httpPort: '18081',
  password: 'rahasia',
};

describe('the guides of makers', () => {
  it('are there for every codec', async () => {
    expect(guides.map(({ name }) => name).sort()).toEqual([...(await loadCodecs()).keys()].sort());
  });

  describe.each(guides.map((guide) => [guide.name, guide]))('%s', (_name, guide) => {
    it('names what it is', () => {
      expect(guide.title).not.toBe('');
      expect(guide.client).toMatch(/^[a-z0-9-]+$/);
    });

    it('has the same parts in both languages', () => {
      expect(guide.en.map(({ kind }) => kind)).toEqual(guide.id.map(({ kind }) => kind));
    });

    it.each(['id', 'en'])('says in %s where the device finds Pantau and as whom it signs in', (language) => {
      const text = filled(textOf(guide, language), guide, OWN, language);
      for (const own of [OWN.host, OWN.device, OWN.password]) expect(text).toContain(own);
      // Nothing of the example is left, nor a mark of the text that it is written in.
      expect(text).not.toMatch(
        /ALAMAT-PANTAU|ADDRESS-OF-PANTAU|KATA-SANDI|(?<!\w)PASSWORD(?!\w)|\]\(|\*\*|<!--/,
      );
      expect(text).not.toMatch(new RegExp(String.raw`(?<![\w-])${guide.client}(?![\w-])`));
      const ports = waysOf(guide).map((by) => ({ mqtt: OWN.port, http: OWN.httpPort })[by]);
      expect(ports).not.toEqual([]);
      for (const port of ports) expect(text).toMatch(new RegExp(String.raw`(?<!\d)${port}(?!\d)`));
      expect(text).not.toMatch(/(?<!\d)(1883|8081|8080)(?!\d)/);
    });
  });

  it('are read from the page, whatever stands around them', () => {
    const page = (half) =>
      `${half}\n\n\`\`\`sh\npantau device add a-1 --x\npantau device add gw-1 --kind gateway\n\`\`\`\n\n<!-- settings -->\n\nSee [it](x.md) at \`gw-1\`, _Field_\nhere:\n\n| A | B |\n| - | - |\n| c | \`1883\` |\n\n1. one\n   more\n2. two\n\n\`\`\`text\nx: gw-1\n\n\`\`\`\n\n<!-- /settings -->\n`;
    const guide = guideOf(page('# Maker `x`') + page('\n## English\n'));
    expect(guide).toMatchObject({ title: 'Maker x', client: 'gw-1', behind: ['a-1'] });
    expect(guide.id).toEqual([
      {
        kind: 'text',
        spans: [{ text: 'See it at ' }, { code: 'gw-1' }, { text: ', “Field” here:' }],
      },
      {
        kind: 'table',
        head: [[{ text: 'A' }], [{ text: 'B' }]],
        body: [[[{ text: 'c' }], [{ code: '1883' }]]],
      },
      { kind: 'steps', items: [[{ text: 'one more' }], [{ text: 'two' }]] },
      { kind: 'code', text: 'x: gw-1\n' },
    ]);
    expect(guide.en).toEqual(guide.id);
    expect(filled('gw-1 gw-12 my-gw-1 1883 21883', guide, OWN, 'en')).toBe(
      'alat-77 gw-12 my-gw-1 18830 21883',
    );
  });
});
