import { bodyOf, newId, sameOf } from './stored-mapping';

const CHOICE = {
  ...{ pattern: 'pabrik/{device}/data', codec: 'tasmota', topic: 'pabrik/Gudang/data' },
  ...{ sender: 'udara-01', device: 'udara-02', utcOffset: '' },
};
const FILE = { pattern: 'tele/{device}/SENSOR', codec: 'tasmota' };
const STORED = { id: 'pabrik', pattern: CHOICE.pattern, codec: 'tasmota', aliases: { teras: 'udara-05' } };

describe('the mapping that is sent', () => {
  it('names the device by what the topic calls it, in lower case', () =>
    expect(bodyOf(CHOICE, [FILE])).toEqual({
      ...{ pattern: CHOICE.pattern, codec: 'tasmota', aliases: { gudang: 'udara-02' } },
    }));

  it('keeps the names of one that has the pattern already', () =>
    expect(bodyOf(CHOICE, [FILE, STORED]).aliases).toEqual({ teras: 'udara-05', gudang: 'udara-02' }));

  it('needs no name where the topic calls the device as Pantau does, nor where the sender is the device', () => {
    const own = { ...CHOICE, topic: 'pabrik/udara-02/data' };
    expect(bodyOf(own, [])).toEqual({ pattern: CHOICE.pattern, codec: 'tasmota' });
    const plain = { ...CHOICE, pattern: 'pabrik/data', topic: 'pabrik/data' };
    expect(bodyOf({ ...plain, device: 'udara-01' }, [])).toEqual({
      pattern: 'pabrik/data',
      codec: 'tasmota',
    });
    expect(bodyOf(plain, [])).toEqual({ pattern: 'pabrik/data', codec: 'tasmota', device: 'udara-02' });
  });

  it('says the offset of local times, except where the file says it', () => {
    const local = { ...CHOICE, utcOffset: '+07:00' };
    expect(bodyOf(local, [FILE]).utcOffset).toBe('+07:00');
    expect(
      bodyOf({ ...local, pattern: FILE.pattern, topic: 'tele/x/SENSOR' }, [FILE]).utcOffset,
    ).toBeUndefined();
  });
});

it('gives a new mapping an id of its pattern that nobody has', () => {
  expect(newId('tele/{device}/SENSOR', [])).toBe('tele-device-sensor');
  expect(newId('{a}', [{ ...STORED, id: 'a' }])).toBe('a-2');
  expect(newId('ü/{ß}', [])).toBe('topik');
  expect(newId('x'.repeat(300), []).length).toBeLessThan(64);
  expect(sameOf(CHOICE.pattern, [FILE, STORED])).toBe(STORED);
  expect(sameOf(FILE.pattern, [FILE])).toBeUndefined();
});
