import { HOUR } from '#libs/kernel';
import { eventData } from './event-data.js';
import { Findings, Gathered, readNumber, readObject, sourceUnless, resultOf } from './reading.js';
import { readDateTime, readEpoch } from './reading-time.js';

describe('readDateTime', () => {
  const noon = Date.UTC(2026, 0, 31, 12);
  it.each([
    ['2026-01-31T12:00:00Z', noon],
    ['2026-01-31T19:00:00+07:00', noon],
    ['2026-01-31T19:00:00+0700', noon],
    ['2026-01-31T08:30:00-03:30', noon],
    ['2026-01-31 12:00:00.25Z', noon + 250],
    ['2026-01-31T12:00:00.123999999Z', noon + 123],
    ['2026/01/31T12:00:00z', noon],
    ['2026-01-31T12:00:00.123456789012+00:00', noon + 123],
    ['2026-01-31T12:00Z', noon],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  ])('reads %s as the instant it is', (text, ts) => {
    expect(readDateTime('t', text, undefined)).toEqual({ ts });
    // A stated zone counts, whatever the configuration says.
    expect(readDateTime('t', text, 9 * HOUR)).toEqual({ ts });
  });

  it('makes a local time an instant only with the offset of the configuration', () => {
    expect(readDateTime('t', '2026-01-31T19:00:00', 7 * HOUR)).toEqual({ ts: noon });
    expect(readDateTime('t', '2026-01-31T19:00:00', undefined)).toEqual({ ts: undefined });
    expect(readDateTime('t', undefined, 7 * HOUR)).toEqual({ ts: undefined });
  });

  it.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00',
    '2026-13-01T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T23:59:60Z',
    '2026-01-31T00:60:00Z',
    '2026-01-31T12:00:00+24:00',
    '2026-01-31T12:00:00+07:60',
    '2026-01/31T12:00:00Z',
    '2026-01-31',
    'yesterday',
    '',
    1769860800,
    null,
    {},
  ])('refuses %p', (found) => {
    expect(readDateTime('t', found, 7 * HOUR)).toEqual({
      refusal: {
        reason: 'schema_violation',
        detail: expect.stringContaining('t: expected an existing date and time'),
      },
    });
  });
});

describe('readEpoch', () => {
  it('reads seconds with a fraction and milliseconds', () => {
    expect(readEpoch('t', 1736604018.38, 1000)).toEqual({ ts: 1736604018380 });
    expect(readEpoch('t', 1736604018380, 1)).toEqual({ ts: 1736604018380 });
    expect(readEpoch('t', undefined, 1)).toEqual({ ts: undefined });
  });

  it.each([
    ['1736604018', 'number_as_text'],
    [null, 'schema_violation'],
    [1e300, 'schema_violation'],
    [Infinity, 'not_finite'],
  ])('refuses %p', (found, reason) => {
    expect(readEpoch('t', found, 1000)).toMatchObject({ refusal: { reason } });
  });
});

describe('readNumber', () => {
  it.each([
    ['-2.83', -2.83],
    ['.5', 0.5],
    ['1e3', 1000],
    [' 7 ', 7],
    [0, 0],
  ])('takes %p where numbers may be text', (found, value) => {
    expect(readNumber('v', found, 'text')).toEqual({ value });
  });

  it.each([
    ['', 'schema_violation'],
    ['0x10', 'schema_violation'],
    ['12,5', 'schema_violation'],
    ['12 ug', 'schema_violation'],
    ['nan', 'not_finite'],
    ['-inf', 'not_finite'],
    ['9'.repeat(400), 'not_finite'],
    [null, 'schema_violation'],
    [true, 'schema_violation'],
    [[1], 'schema_violation'],
  ])('refuses %p even there', (found, reason) => {
    expect(readNumber('v', found, 'text')).toMatchObject({ refusal: { reason } });
  });

  it('takes no longer for a text of very many digits than it takes to read them', () => {
    const text = `${'9'.repeat(200_000)}x`;
    const begun = performance.now();
    expect(readNumber('v', text, 'text')).toMatchObject({ refusal: { reason: 'schema_violation' } });
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('refuses a number in quotes where the maker documents none', () => {
    expect(readNumber('v', '12.5')).toEqual({
      refusal: { reason: 'number_as_text', detail: 'v: expected a finite number, found the text "12.5"' },
    });
  });
});

describe('readObject', () => {
  it.each(['[]', '1', '"a"', 'null', 'true'])('refuses %s', (text) => {
    expect(readObject(Buffer.from(text))).toMatchObject({ refusal: { reason: 'schema_violation' } });
  });
});

describe('Gathered', () => {
  it('takes a parameter once, and not from a spare sensor when the first is refused', () => {
    const gathered = new Gathered();
    gathered.measure('A.Temperature', null, 'temperature', 'degC');
    gathered.measure('B.Temperature', 21, 'temperature', 'degC');
    expect(gathered.telemetry(0)).toEqual([]);
    expect(gathered.refusals.map(({ detail }) => detail)).toEqual([
      'A.Temperature: expected a finite number, found null',
      'B.Temperature: expected one temperature in a message, found a second after A.Temperature; leave one of them out',
    ]);
  });

  it('takes the first of two values of one parameter, and says so when they differ', () => {
    const gathered = new Gathered();
    gathered.measure('pm25', 1, 'pm25', 'ug/m3');
    gathered.measure('pm2_5', 1, 'pm25', 'ug/m3');
    gathered.measure('pm2.5', 2, 'pm25', 'ug/m3');
    gathered.measure('pm2p5', 1, 'pm25', 'mg/m3');
    expect(gathered.telemetry(0)).toMatchObject([{ values: [{ value: 1, unit: 'ug/m3' }] }]);
    expect(gathered.refusals).toEqual(
      ['pm2.5', 'pm2p5'].map((path) => ({
        reason: 'schema_violation',
        detail: `${path}: expected one pm25 in a message, found a second after pm25; leave one of them out`,
      })),
    );
  });

  it('refuses a unit that the parameter cannot have, and takes the value beside it that has one', () => {
    const gathered = new Gathered();
    gathered.measure('pm10', 1, 'pm10', 'ppb', 'state ug/m3');
    gathered.measure('no2', 1, 'no2', undefined, 'state ppb');
    gathered.measure('no2_ppb', 1, 'no2', 'ppb');
    expect(gathered.refusals).toEqual([
      { reason: 'unknown_unit', detail: 'pm10: ppb is no unit of pm10; state ug/m3' },
      { reason: 'unknown_unit', detail: 'no2: no known unit of no2; state ppb' },
    ]);
    expect(gathered.telemetry(0)).toMatchObject([{ values: [{ parameter: 'no2', unit: 'ppb' }] }]);
  });

  it('gives a pressure only beside values, and never an infinite one', () => {
    const alone = new Gathered();
    alone.pressure('p', 1000, 1);
    expect(alone.telemetry(0)).toEqual([]);
    const beside = new Gathered();
    beside.measure('h', 50, 'humidity', '%');
    beside.pressure('p', Number.MAX_VALUE, 33);
    expect(beside.telemetry(0)).toEqual([
      { kind: 'telemetry', ts: 0, values: [{ parameter: 'humidity', value: 50, unit: '%' }] },
    ]);
  });

  it('keeps the expectation readable when the payload chooses a long name', () => {
    const gathered = new Gathered();
    gathered.measure('n'.repeat(1000), 'x', 'pm25', 'ug/m3');
    expect(gathered.refusals[0]?.detail).toBe(
      `${'n'.repeat(100)}: expected a finite number, found the text "x"`,
    );
  });
});

describe('Findings', () => {
  it('gives values of one device and instant together, with the pressure beside them', () => {
    const findings = new Findings();
    findings.at({ ts: 1, source: 'a' }).measure('o3', 3, 'o3', 'ppb');
    findings.at({ ts: 1, source: 'b' }).measure('o3', 4, 'o3', 'ppb');
    findings.at({ ts: 1, source: 'a' }).measure('t', 30, 'temperature', 'degC');
    findings.at({ ts: 1, source: 'a' }).pressure('p', 1009, 1);
    expect(findings.result('', [])).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: 1,
          source: 'a',
          values: [
            { parameter: 'o3', value: 3, unit: 'ppb' },
            { parameter: 'temperature', value: 30, unit: 'degC' },
          ],
          conditions: { pressureHpa: 1009 },
        },
        { kind: 'telemetry', ts: 1, source: 'b', values: [{ parameter: 'o3', value: 4, unit: 'ppb' }] },
      ],
      refusals: [],
    });
  });

  it('gathers the refusals of every place, and tells why there is nothing else', () => {
    const findings = new Findings();
    expect(findings.result('nothing here', [])).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'nothing here',
    });
    findings.at({ ts: 1 }).measure('pm10', '12', 'pm10', 'ug/m3');
    findings.at({ ts: 2 }).pressure('p', 'high', 1);
    expect(findings.result('nothing here', [], { seen: 1 })).toEqual({
      outputs: [],
      refusals: [
        { reason: 'number_as_text', detail: 'pm10: expected a finite number, found the text "12"' },
        { reason: 'schema_violation', detail: 'p: expected a finite number, found the text "high"' },
      ],
      memory: { seen: 1 },
    });
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

describe('resultOf', () => {
  it('keeps one value of each source, instant and parameter, and refuses the others by name', () => {
    const telemetry = (value: number, more: { ts?: number; source?: string } = {}) => ({
      ...{
        kind: 'telemetry' as const,
        ts: 1,
        values: [{ parameter: 'pm25' as const, value, unit: 'ug/m3' as const }],
      },
      ...more,
    });
    const [first, second, later, other] = [
      telemetry(1),
      telemetry(2),
      telemetry(3, { ts: 2 }),
      telemetry(4, { source: 'x' }),
    ];
    expect(resultOf([first, second, later, other], [], '', [])).toEqual({
      outputs: [first, later, other],
      refusals: [
        { reason: 'schema_violation', detail: 'pm25: expected one of an instant, found 2 as a second' },
      ],
    });
  });
});
