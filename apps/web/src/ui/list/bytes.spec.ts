import { bytesOf, rowsOf, utf8Of } from './bytes';

const base64 = Buffer.from('Halo\u0001é').toString('base64');

describe('bytes', () => {
  it('are shown in rows, with signs where they are signs', () => {
    expect(rowsOf(bytesOf(base64), 4)).toEqual([
      { offset: '0000', hex: '48 61 6c 6f', text: 'Halo' },
      { offset: '0004', hex: '01 c3 a9   ', text: '···' },
    ]);
    expect(rowsOf(new Uint8Array(), 16)).toEqual([]);
  });

  it.each([
    [[72, 105, 10], 'Hi\n'],
    [[0xc3, 0xa9], 'é'],
    [[0xc3], undefined],
    [[0, 1, 2], undefined],
    [[], ''],
  ])('%j are the text %j', (bytes, text) => {
    expect(utf8Of(Uint8Array.from(bytes))).toBe(text);
  });
});
