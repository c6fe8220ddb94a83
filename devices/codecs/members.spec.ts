import { epochMillisAt, eventData, Findings, instantAt, sourceUnless } from './members.js';

describe('instantAt', () => {
  it.each([
    ['2022-07-18T09:34:15.775023242+00:00', Date.UTC(2022, 6, 18, 9, 34, 15, 775)],
    ['2020-02-12T15:15:45.789585559Z', Date.UTC(2020, 1, 12, 15, 15, 45, 789)],
    ['2026-01-02T10:04:05+07:00', Date.UTC(2026, 0, 2, 3, 4, 5)],
    ['2026-01-02T03:04:05.5-0030', Date.UTC(2026, 0, 2, 3, 34, 5, 500)],
    ['2024-02-29T00:00Z', Date.UTC(2024, 1, 29)],
  ])('reads %s', (text, ts) => {
    expect(instantAt(text, 'time', undefined)).toEqual({ ts });
  });

  it('takes a local time for an instant only where the offset is configured', () => {
    expect(instantAt('2026-01-02T10:04:05', 'time', undefined)).toEqual({ ts: undefined });
    expect(instantAt('2026-01-02T10:04:05', 'time', 7 * 3_600_000)).toEqual({
      ts: Date.UTC(2026, 0, 2, 3, 4, 5),
    });
    expect(instantAt('2026-01-02T10:04:05Z', 'time', 7 * 3_600_000)).toEqual({
      ts: Date.UTC(2026, 0, 2, 10, 4, 5),
    });
  });

  it('takes an absent time for none', () => {
    expect(instantAt(undefined, 'time', undefined)).toEqual({ ts: undefined });
    expect(instantAt(null, 'time', undefined)).toEqual({ ts: undefined });
  });

  it.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '0050-01-01T00:00:00Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01',
    '',
    1_700_000_000,
    {},
  ])('refuses %j, which is no instant', (value) => {
    expect(instantAt(value, 'time', undefined)).toEqual({
      refusal: { reason: 'schema_violation', detail: expect.stringContaining('time: expected an instant') },
    });
  });
});

describe('epochMillisAt', () => {
  it('takes whole milliseconds and refuses the rest', () => {
    expect(epochMillisAt(1590045190230, 'timestamp')).toEqual({ ts: 1590045190230 });
    expect(epochMillisAt(undefined, 'timestamp')).toEqual({ ts: undefined });
    for (const value of [1.5, -1, 1e300, '1590045190230'])
      expect(epochMillisAt(value, 'timestamp')).toHaveProperty('refusal.reason', 'schema_violation');
  });
});

describe('Findings', () => {
  const place = { ts: 1 };

  it.each([
    ['12', 'number_as_text'],
    ['n/a', 'schema_violation'],
    ['', 'schema_violation'],
    [Infinity, 'not_finite'],
    [true, 'schema_violation'],
    [{ value: 1 }, 'schema_violation'],
  ])('refuses %j as a value', (value, reason) => {
    const findings = new Findings();
    findings.measure(place, 'pm10', 'pm10', value, 'ug/m3', '');
    expect(findings.result('')).toEqual({
      outputs: [],
      refusals: [{ reason, detail: expect.stringMatching(/^pm10: /) }],
    });
  });

  it('takes null for absent', () => {
    const findings = new Findings();
    findings.measure(place, 'pm10', 'pm10', null, 'ug/m3', '');
    expect(findings.result('nothing')).toEqual({ outputs: [], refusals: [], ignored: 'nothing' });
  });

  it('refuses a unit that the parameter cannot have', () => {
    const findings = new Findings();
    findings.measure(place, 'pm10', 'pm10', 1, 'ppb', 'state ug/m3');
    findings.measure(place, 'no2', 'no2', 1, undefined, 'state ppb');
    expect(findings.result('').refusals).toEqual([
      { reason: 'unknown_unit', detail: 'pm10: ppb is no unit of pm10; state ug/m3' },
      { reason: 'unknown_unit', detail: 'no2: no known unit of no2; state ppb' },
    ]);
  });

  it('keeps the first of two values of one quantity and says so when they differ', () => {
    const findings = new Findings();
    findings.measure(place, 'pm25', 'pm25', 1, 'ug/m3', '');
    findings.measure(place, 'pm2_5', 'pm25', 1, 'ug/m3', '');
    findings.measure(place, 'pm2.5', 'pm25', 2, 'ug/m3', '');
    expect(findings.result('')).toEqual({
      outputs: [{ kind: 'telemetry', ts: 1, values: [{ parameter: 'pm25', value: 1, unit: 'ug/m3' }] }],
      refusals: [{ reason: 'schema_violation', detail: 'pm2.5: pm25 is stated before as 1 ug/m3' }],
    });
  });

  it('gives values of one device and instant together, with what was measured beside them', () => {
    const findings = new Findings();
    findings.measure({ ts: 1, source: 'a' }, 'o3', 'o3', 3, 'ppb', '');
    findings.measure({ ts: 1, source: 'b' }, 'o3', 'o3', 4, 'ppb', '');
    findings.measure({ ts: 1, source: 'a' }, 't', 'temperature', 30, 'degC', '');
    findings.pressure({ ts: 1, source: 'a' }, 'p', 1009);
    expect(findings.result('').outputs).toEqual([
      {
        kind: 'telemetry',
        ts: 1,
        source: 'a',
        values: [
          { parameter: 'o3', value: 3, unit: 'ppb' },
          { parameter: 'temperature', value: 30, unit: 'degC' },
        ],
        conditions: { temperatureC: 30, pressureHpa: 1009 },
      },
      { kind: 'telemetry', ts: 1, source: 'b', values: [{ parameter: 'o3', value: 4, unit: 'ppb' }] },
    ]);
  });

  it('gives no telemetry for pressure alone, and refuses one that is no number', () => {
    const findings = new Findings();
    findings.pressure(place, 'p', 1009);
    expect(findings.result('nothing')).toEqual({ outputs: [], refusals: [], ignored: 'nothing' });
    findings.pressure(place, 'p', '1009');
    expect(findings.result('').refusals).toEqual([
      { reason: 'number_as_text', detail: 'p: expected a finite number, found the text "1009"' },
    ]);
  });
});

describe('sourceUnless', () => {
  it('names the device of the payload where the topic names none', () => {
    expect(sourceUnless({}, 'a')).toEqual({ source: 'a' });
    expect(sourceUnless({ device: 'b' }, 'a')).toEqual({});
    expect(sourceUnless({}, 7)).toEqual({});
  });
});

describe('eventData', () => {
  it('carries scalars and leaves out the rest', () => {
    expect(eventData({ a: 1, b: 'x', c: true, d: null, e: {}, f: Infinity, g: [1] })).toEqual({
      a: 1,
      b: 'x',
      c: true,
      d: null,
    });
  });
});
