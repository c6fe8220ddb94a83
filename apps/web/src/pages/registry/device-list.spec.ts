import { durationText, readDeviceList } from './device-list';

const REGISTERED = { sites: new Set(['betung']), devices: new Set(['udara-01']) };
const read = (text: string) => readDeviceList(text, REGISTERED);
const faults = (text: string) => read(text).map((one) => one.faults);

describe('a list of devices', () => {
  it('is read as spreadsheets write it: a mark at its beginning, semicolons, quotes', () => {
    const text =
      '\uFEFFid;site;name;interval;speaks_for\r\nudara-09;betung;"Udara; ""Pasar""";5m;a b\r\n\r\n';
    expect(read(text)).toEqual([
      {
        ...{ line: 2, text: 'udara-09;betung;"Udara; ""Pasar""";5m;a b', isKnown: false, faults: [] },
        device: {
          ...{ id: 'udara-09', site: 'betung', kind: 'air', name: 'Udara; "Pasar"', interval: '5m' },
          speaksFor: ['a', 'b'],
        },
      },
    ]);
  });

  it('names all that is wrong with a line, and goes on with the next', () => {
    expect(
      faults('id,site,kind,interval\nUdara 1,hutan,lampu,sejam\nudara-02,betung,,\nudara-02,betung,,'),
    ).toEqual([
      [
        { code: 'id', values: ['Udara 1'] },
        { code: 'site', values: ['hutan'] },
        { code: 'kind', values: ['lampu'] },
        { code: 'interval', values: ['sejam'] },
      ],
      [],
      [{ code: 'twice', values: ['3'] }],
    ]);
  });

  it.each([
    ['name,kind\nx,air', [[{ code: 'columns', values: [] }]]],
    ['id,site,warna\nx,betung,biru', [[{ code: 'unknownColumn', values: ['warna'] }]]],
    ['id,site\nx', [[{ code: 'cells', values: ['1', '2'] }]]],
    ['id,site\n"x,betung', [[{ code: 'quote', values: [] }]]],
    ['', []],
  ])('%j says what is wrong with it', (text, expected) => {
    expect(faults(text)).toEqual(expected);
  });

  it('says which are there already', () => {
    expect(read('id,site\nudara-01,betung\nudara-02,betung').map(({ isKnown }) => isKnown)).toEqual([
      true,
      false,
    ]);
  });

  it.each([
    [60_000, '1m'],
    [86_400_000, '1d'],
    [5_400_000, '90m'],
    [1_500, '1500ms'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
