import { HOUR, MINUTE } from '#libs/kernel';
import { MEASURED_CODES } from '#libs/telemetry';
import { qcLimitsOf, qcLimitsSchema } from './limits-schema.js';
import { CLOCK_LIMITS_V1, QC_LIMITS_V1 } from './limits.js';

const parse = (file: object): ReturnType<typeof qcLimitsSchema.parse> =>
  qcLimitsSchema.parse({ version: 'banyuasin-1', ...file });
const issues = (file: object): string[] =>
  qcLimitsSchema
    .safeParse({ version: 'banyuasin-1', ...file })
    .error!.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('qcLimitsOf', () => {
  it('is what Pantau ships without a file', () => {
    expect(qcLimitsOf('a')).toEqual({ version: '2', parameters: QC_LIMITS_V1, clock: CLOCK_LIMITS_V1 });
    expect(qcLimitsOf('a', parse({}))).toEqual({
      version: '2+banyuasin-1',
      parameters: QC_LIMITS_V1,
      clock: CLOCK_LIMITS_V1,
    });
  });

  it('fails what the sensors of a device cannot measure, unless the device says otherwise', () => {
    const file = parse({
      instruments: { a: ['sds011', 'dht22'], b: ['sds011'] },
      devices: { b: { pm25: { range: { fail: [0, 900] } } } },
    });
    const { pm25, pm10, temperature, co } = qcLimitsOf('a', file).parameters;
    expect(pm25.range).toEqual({ fail: [0, 999.9], suspect: [0, 500] });
    expect(pm10.range.fail).toEqual([0, 1_999.9]);
    expect(temperature.range.fail).toEqual([-40, 80]);
    expect(co).toEqual(QC_LIMITS_V1.co);
    expect(qcLimitsOf('b', file).parameters.pm25.range.fail).toEqual([0, 900]);
    expect(qcLimitsOf('c', file).parameters).toEqual(QC_LIMITS_V1);
  });

  it('lays the limits of a device over those of the parameter over those of Pantau, each only where written', () => {
    const file = parse({
      parameters: {
        pm25: { flatLine: { suspectAfter: '45m' }, spike: { suspect: 60 } },
        so2: { flatLine: false },
      },
      devices: { dinas: { pm25: { flatLine: { failAfter: '6h' }, humidity: {} }, so2: { flatLine: {} } } },
      clock: { maxAhead: '30s' },
    });
    const { pm25, pm10, so2 } = qcLimitsOf('dinas', file).parameters;
    expect(pm25.flatLine).toEqual({
      ...QC_LIMITS_V1.pm25.flatLine,
      suspectAfter: 45 * MINUTE,
      failAfter: 6 * HOUR,
    });
    expect(pm25.spike).toEqual({ ...QC_LIMITS_V1.pm25.spike, suspect: 60 });
    expect(pm25.humidity).toEqual({ suspectFrom: 95 });
    expect(pm10).toEqual(QC_LIMITS_V1.pm10);
    expect(so2.flatLine).toEqual(QC_LIMITS_V1.so2.flatLine);
    const other = qcLimitsOf('other', file);
    expect(other.parameters.so2.flatLine).toBeNull();
    expect(other.parameters.pm25.humidity).toBeNull();
    expect(other.clock).toEqual({ ...CLOCK_LIMITS_V1, maxAhead: 30_000 });
    expect(qcLimitsOf('toString', file)).toEqual(other);
  });
});

describe('qcLimitsSchema', () => {
  it('reads a file of an earlier version that holds neighbours.highFrom, which had no effect', () => {
    const file = (more: object): object => ({
      parameters: { pm25: { neighbours: { distance: 60, ...more } } },
    });
    expect(parse(file({ highFrom: 100 }))).toEqual(parse(file({})));
    expect(parse(file({ highFrom: null }))).toEqual(parse(file({})));
  });

  it.each([
    [
      { parameters: { pm25: { spike: { suspect: 200 } } } },
      'parameters.pm25.spike: suspect must not exceed fail',
    ],
    [
      { parameters: { pm25: { flatLine: { suspectAfter: '4h' } } } },
      'parameters.pm25.flatLine: suspectAfter must not exceed failAfter',
    ],
    [
      { devices: { a: { pm10: { flatLine: { suspectSamples: 30 } } } } },
      'devices.a.pm10.flatLine: suspectSamples must not exceed failSamples',
    ],
    [
      { instruments: { a: ['sds011'] }, devices: { a: { pm25: { range: { suspect: [0, 2_000] } } } } },
      'devices.a.pm25.range: suspect must lie within fail, and its low end below its high end',
    ],
    [
      { parameters: { o3: { saturation: { from: 90 } } } },
      'parameters.o3.saturation: this test does not apply to this parameter',
    ],
    [
      { parameters: { pm25: { spike: { maxSpan: 'soon' } } } },
      'parameters.pm25.spike.maxSpan: expected a duration such as 30s, 5m, 2h or 1d, found "soon"',
    ],
  ])('refuses %p', (file, expected) => {
    expect(issues(file)).toEqual([expected]);
  });

  it.each([
    { parameters: { pm1: {} } },
    { parameters: { pm25: { spyke: false } } },
    { parameters: { pm25: { range: false } } },
    { parameters: { pm25: { spike: true } } },
    { parameters: { pm25: { neighbours: { minNeighbours: 2 } } } },
    { version: '' },
  ])('refuses %p', (file) => {
    expect(issues(file)).not.toEqual([]);
  });
});

describe('QC_LIMITS_V1', () => {
  it('keeps suspect before failed for every parameter', () => {
    for (const parameter of MEASURED_CODES) {
      const { spike, flatLine } = QC_LIMITS_V1[parameter];
      expect(spike!.suspect).toBeLessThan(spike!.fail);
      expect(flatLine!.suspectAfter).toBeLessThan(flatLine!.failAfter);
      expect(flatLine!.suspectSamples).toBeLessThan(flatLine!.failSamples);
    }
  });
});
