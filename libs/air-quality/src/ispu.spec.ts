import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ISPU_PARAMETERS, ispu, ispuSubIndex, type IspuParameter } from './ispu.js';

const [header, ...rows] = readFileSync(join(import.meta.dirname, 'fixtures', 'ispu-golden.csv'), 'utf8')
  .trim()
  .split('\n');
const columns = header!.split(',');
const cases = rows.map((row) => Object.fromEntries(row.split(',').map((cell, i) => [columns[i]!, cell])));

describe('ispuSubIndex', () => {
  it('has all 122 golden cases before it', () => expect(cases).toHaveLength(122));

  it.each(cases.map((golden) => [golden['case_id']!, golden] as const))(
    'agrees with golden case %s',
    (_id, golden) => {
      const cell = golden['concentration_ugm3_24h'] ?? '';
      const result = ispuSubIndex(
        golden['parameter'] as IspuParameter,
        cell === '' ? undefined : Number(cell),
      );
      expect(result.status).toBe(golden['status']);
      if (result.status !== 'ok') return;
      expect(result.raw).toBeCloseTo(Number(golden['raw_index']), 5);
      expect(result.index).toBe(Number(golden['expected_index']));
      expect(result.category.code).toBe(golden['expected_category_code']);
      expect(result.category.name).toBe(golden['expected_category']);
      expect(result.beyondScale).toBe(golden['beyond_scale'] === 'true');
    },
  );

  it('never falls when the concentration rises, and stays within 0 and 500', () => {
    const concentration = fc.double({ min: 0, max: 60_000, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom(...ISPU_PARAMETERS), concentration, concentration, (parameter, a, b) => {
        const low = ispuSubIndex(parameter, Math.min(a, b));
        const high = ispuSubIndex(parameter, Math.max(a, b));
        if (low.status !== 'ok' || high.status !== 'ok') throw new Error('expected an index');
        expect(low.raw).toBeLessThanOrEqual(high.raw);
        expect(low.raw).toBeGreaterThanOrEqual(0);
        expect(high.raw).toBeLessThanOrEqual(500);
      }),
    );
  });

  it.each([-0.001, NaN, Infinity, null, undefined])('gives no index for %p', (mean) => {
    expect(ispuSubIndex('pm25', mean)).toEqual({ status: 'invalid' });
  });
});

describe('ispu', () => {
  it.each([
    [
      { pm25: 37.5, pm10: 75, so2: 26, co: 1145, o3: 60, no2: 40 },
      78,
      'pm25',
      'SEDANG',
      { pm25: 78, pm10: 63, so2: 25, co: 14, o3: 25, no2: 25 },
    ],
    [{ pm25: 80, pm10: 250 }, 150, 'pm10', 'TIDAK_SEHAT', { pm25: 126, pm10: 150 }],
    [{ pm25: 10, pm10: 40, o3: 300 }, 139, 'o3', 'TIDAK_SEHAT', { pm25: 32, pm10: 40, o3: 139 }],
    [{ pm25: 260, pm10: 385, co: 22_500 }, 308, 'pm25', 'BERBAHAYA', { pm25: 308, pm10: 250, co: 250 }],
  ] as const)('takes the highest sub-index of %p', (means, index, critical, category, subIndices) => {
    expect(ispu(means)).toMatchObject({ index, critical, category: { code: category }, subIndices });
  });

  it('settles a tie by the fixed order of the parameters', () => {
    expect(ispu({ pm25: 15.5, pm10: 50 })).toMatchObject({ index: 50, critical: 'pm10' });
  });

  it('leaves parameters without a valid mean out, and says nothing when none is left', () => {
    expect(ispu({ pm25: null, pm10: 40 })).toMatchObject({ critical: 'pm10', subIndices: { pm10: 40 } });
    expect(ispu({ pm25: NaN })).toBeUndefined();
  });
});
