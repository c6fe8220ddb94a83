import fc from 'fast-check';
import { currentIndex, ISPU_REQUIRED_HOURS } from './current-index.js';

const hours = (count: number, value: number): number[] => Array<number>(count).fill(value);

describe('the current index', () => {
  it('is that of the parameter with the highest sub-index, from means over 24 hours', () => {
    // Means of 27.7 and 60 µg/m³: 50 + 50 · (27.7 − 15.5) / (55.4 − 15.5) = 65.3, and 55.
    const { ispu, means } = currentIndex({
      pm25: [...hours(12, 15.4), ...hours(12, 40)],
      pm10: hours(24, 60),
    });
    expect(means).toEqual({
      pm25: { mean: expect.closeTo(27.7), validHours: 24 },
      pm10: { mean: 60, validHours: 24 },
    });
    expect(ispu).toMatchObject({
      critical: 'pm25',
      index: 65,
      category: { code: 'SEDANG' },
      subIndices: { pm25: 65, pm10: 55 },
    });
  });

  it('needs 18 of the 24 hours; with fewer there is no index, and the count says why', () => {
    const few = currentIndex({ pm25: [...hours(17, 20), ...Array<null>(7).fill(null)] });
    expect(few).toMatchObject({ ispu: undefined, means: { pm25: { mean: null, validHours: 17 } } });
    expect(currentIndex({ pm25: hours(18, 20) }).ispu).toMatchObject({ critical: 'pm25' });
  });

  it('leaves a parameter with too few hours out, and keeps the index of the others', () => {
    const { ispu, means } = currentIndex({ pm25: hours(3, 400), pm10: hours(20, 10) });
    expect(ispu).toMatchObject({ critical: 'pm10', subIndices: { pm10: 10 } });
    expect(means.pm25).toEqual({ mean: null, validHours: 3 });
  });

  it('has a NowCast long before there are hours enough for an index', () => {
    const { ispu, nowCast } = currentIndex({ pm25: [30, 30], so2: [1, 1] });
    expect(ispu).toBeUndefined();
    expect(nowCast).toEqual({ pm25: { value: 30, raw: 30, weight: 1 } });
  });

  it('says nothing of a station without any hour', () => {
    expect(currentIndex({})).toEqual({ ispu: undefined, means: {}, nowCast: {} });
  });

  it('looks at no hour beyond the 24th, and lies between its hours', () => {
    const hour = fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }), { nil: null });
    fc.assert(
      fc.property(fc.array(hour, { minLength: 24, maxLength: 24 }), fc.array(hour), (recent, older) => {
        const index = currentIndex({ pm25: [...recent, ...older] });
        expect(index).toEqual(currentIndex({ pm25: recent }));
        const { mean } = index.means.pm25 ?? { mean: null };
        const valid = recent.filter((value) => value !== null);
        expect(mean === null).toBe(valid.length < ISPU_REQUIRED_HOURS);
        if (mean === null) return;
        expect(mean).toBeGreaterThanOrEqual(Math.min(...valid) - 1e-9);
        expect(mean).toBeLessThanOrEqual(Math.max(...valid) + 1e-9);
      }),
    );
  });
});
