import { DAY, HOUR } from '#libs/kernel';
import { decodeNative, judgeTime, type TimePolicy } from '#libs/telemetry';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsvBatch, type CsvOptions } from './csv-batch.js';
import type { CsvFile } from './csv-file.js';

const RECEIVED_AT = Date.UTC(2026, 10, 28, 13, 0, 0);
const POLICY: TimePolicy = {
  maxFutureMs: 300_000,
  oldest: Date.UTC(2000, 0, 1),
  maxAgeMs: 400 * DAY,
  wrongClock: 'arrival',
};

const read = (text: string, more: Partial<CsvOptions> = {}): CsvFile =>
  readCsvBatch(text, { receivedAt: RECEIVED_AT, policy: POLICY, ...more });

/** What would be stored: line, instant, values. */
const taken = (file: CsvFile): [number, string, object][] =>
  file.rows
    .filter(({ values }) => values.length > 0)
    .map(({ line, ts, values }) => [line, new Date(ts!).toISOString(), Object.fromEntries(values)]);

const problems = ({ problems: found }: CsvFile): [number, string | undefined, string][] =>
  found.map(({ line, column, reason }) => [line, column, reason]);

const local = { utcOffsetMs: 7 * HOUR };

describe('readCsvBatch', () => {
  it('makes a message of each line, and leaves out what was not measured', () => {
    const file = read('ts,seq,PM25,humidity\n2026-11-28T00:00:00Z,7,12.5,80\n1795824060000,,,81\n,,,\n');
    expect(file.rows.map(({ payload }) => JSON.parse(payload.toString()) as unknown)).toEqual([
      { ts: Date.UTC(2026, 10, 28), seq: 7, values: { pm25: 12.5, humidity: 80 } },
      { ts: 1795824060000, values: { humidity: 81 } },
    ]);
    expect(file.problems).toEqual([]);
  });

  it.each([
    ['s', '1795785572', '1795785632.5'],
    ['ms', '1795785572000', '1795785632500'],
    ['us', '1795785572000000', '1795785632500000'],
  ])('finds out that times are counted in %s', (unit, first, second) => {
    const file = read(`ts,temperature\n${first},20.5\n${second},21.5\n`);
    expect(taken(file)).toEqual([
      [2, '2026-11-27T13:19:32.000Z', { temperature: 20.5 }],
      [3, '2026-11-27T13:20:32.500Z', { temperature: 21.5 }],
    ]);
    expect(file.read.time).toBe(unit);
  });

  it('takes no file whose times are in two units', () => {
    const { faults } = read('ts,pm25\n1795785572,1\n1795785632000,2\n');
    expect(faults).toEqual([expect.objectContaining({ line: 3, column: 'ts' })]);
    expect(faults[0]!.detail).toContain('two units: s in line 2, ms in line 3');
  });

  it('refuses counts that are no time of a logger in any unit, in the unit of the others', () => {
    expect(problems(read('ts,pm25\n17,1\n1795785632,2\n4102444800,3\n20261127,4\n'))).toEqual([
      [2, 'ts', 'timestamp_too_old'],
      [4, 'ts', 'timestamp_in_future'],
      [5, 'ts', 'timestamp_too_old'],
    ]);
    expect(problems(read('ts,pm25\n17,1\n77,2\n'))).toEqual([
      [2, 'ts', 'timestamp_too_old'],
      [3, 'ts', 'timestamp_too_old'],
    ]);
  });

  it.each([
    '2026-02-30 10:00:00',
    '2026-02-30T10:00:00Z',
    '2026-02-28 24:00',
    '2026-02-28T24:00:00Z',
    '2026-02-28 23:59:60',
    '2000-00-00T21:01:33Z',
    '2073-50-00T21:01:33Z',
    '28/02/2026 10:00',
    '0x6929a5b4',
    'kemarin',
    '',
    '-1795785572',
  ])('refuses the time %j, and takes the lines around it', (cell) => {
    const file = read(`ts,pm25\n2026-02-28 09:00,10\n${cell},11\n2026-03-02 10:00,12\n`, local);
    expect(taken(file).map(([line]) => line)).toEqual([2, 4]);
    expect(problems(file)).toEqual([[3, 'ts', 'schema_violation']]);
    expect(file.faults).toEqual([]);
  });

  it('takes local times when it is told their offset, and refuses them when it is not', () => {
    const text = 'ts,pm25\n2026-11-28 07:00:00,1\n2026/11/28 07:01,2\n2026-11-28T07:02:00+07:00,3\n';
    expect(taken(read(text, local)).map(([, ts]) => ts)).toEqual([
      '2026-11-28T00:00:00.000Z',
      '2026-11-28T00:01:00.000Z',
      '2026-11-28T00:02:00.000Z',
    ]);
    expect(taken(read(text)).map(([line]) => line)).toEqual([4]);
  });

  it('refuses the lines of a clock that was reset, whatever is done with that of a live device', () => {
    const file = read(
      'ts,pm25\n2026-11-28T00:00:00Z,1\n1970-01-01T00:00:09Z,2\n2000-01-01T00:00:10Z,3\n2027-11-28T00:00:00Z,4\n',
    );
    expect(taken(file).map(([line]) => line)).toEqual([2]);
    expect(problems(file)).toEqual([
      [3, 'ts', 'timestamp_too_old'],
      [4, 'ts', 'too_late'],
      [5, 'ts', 'timestamp_in_future'],
    ]);
  });

  it('takes no file whose clock was set amid it, unless the sender stands for its times', () => {
    const text =
      'ts,pm25\n2026-11-28T00:00Z,1\n2026-11-28T00:10Z,2\n2026-11-27T23:40Z,3\n2026-11-27T23:50Z,4\n';
    expect(read(text).faults).toEqual([
      expect.objectContaining({
        line: 4,
        detail: expect.stringContaining('2026-11-28T00:10:00.000Z (line 3)'),
      }),
    ]);
    expect(read(text, { order: 'any' }).faults).toEqual([]);
  });

  it('takes a file with the newest line first', () => {
    const file = read('ts,pm25\n2026-11-28T00:20Z,1\n2026-11-28T00:10Z,2\n2026-11-28T00:00Z,3\n');
    expect([file.faults, taken(file).length]).toEqual([[], 3]);
  });

  it('takes no file with two different values of one instant, and the same one twice', () => {
    const twice = (second: string): CsvFile =>
      read(`ts,pm25,pm10\n2026-11-28T00:00Z,1,\n${second}\n`, { order: 'any' });
    expect(twice('2026-11-28T00:00Z,2,').faults).toEqual([
      expect.objectContaining({ line: 3, column: 'pm25' }),
    ]);
    expect(twice('2026-11-28T00:00Z,1,7').faults).toEqual([]);
  });

  it('takes no file with a column twice', () => {
    expect(read('ts,PM25,pm25\n2026-11-28T00:00Z,1,2\n').faults).toEqual([
      expect.objectContaining({ line: 1, column: 'pm25' }),
    ]);
  });

  const numbers = (cells: readonly string[], more: Partial<CsvOptions> = {}): [unknown[], number] => {
    const lines = cells.map((cell, i) => `2026-11-28T00:0${i}Z;${cell}`).join('\n');
    const file = read(`ts;co\n${lines}\n`, more);
    const byLine = new Map(file.rows.map(({ line, values }) => [line, values[0]?.[1]]));
    return [cells.map((_, i) => byLine.get(i + 2) ?? null), file.faults.length];
  };

  it.each<[string, string[], (number | null)[]]>([
    ['decimal commas, thousands not clear', ['987,5', '1.234', '1.234,5'], [987.5, null, null]],
    ['decimal points, thousands not clear', ['987.5', '1,234', '1,234.5'], [987.5, null, null]],
    ['neither mark proven', ['1.234', '12', '987.654'], [null, 12, null]],
    ['a leading zero proves the mark', ['0.512', '1.234'], [0.512, 1.234]],
    ['blanks and apostrophes of thousands', ['1 234', "1'234", '12,5'], [null, null, 12.5]],
    [
      'what only a program takes for a number',
      ['0x10', '0b1', 'Infinity', 'NaN', '1_000', '٣'],
      [null, null, null, null, null, null],
    ],
    ['exponents and signs', ['1.5e2', '+3.5', '-4.5', '.5', '7.'], [150, 3.5, -4.5, 0.5, 7]],
  ])('reads numbers in the one decimal mark of the file: %s', (_what, cells, expected) => {
    expect(numbers(cells)).toEqual([expected, 0]);
  });

  it('takes no file with two decimal marks, and lets the sender say which one it is', () => {
    expect(numbers(['12,5', '12.5'])[1]).toBe(1);
    expect(numbers(['1.234', '987.654'], { decimal: 'point' })).toEqual([[1.234, 987.654], 0]);
    expect(numbers(['1,234'], { decimal: 'comma' })).toEqual([[1.234], 0]);
  });

  it('takes quoted decimal commas between commas, and no line of another number of cells', () => {
    const file = read('ts,pm25\n2026-11-28T00:00Z,"12,5"\n2026-11-28T00:01Z,12,5\n2026-11-28T00:02Z\n');
    expect(taken(file).map(([line, , values]) => [line, values])).toEqual([[2, { pm25: 12.5 }]]);
    expect(problems(file)).toEqual([
      [3, undefined, 'schema_violation'],
      [4, undefined, 'schema_violation'],
    ]);
  });

  it('takes tabs between cells', () => {
    expect(taken(read('\uFEFFts\tpm25\r\n2026-11-28T00:00Z\t12,5\r\n'))).toHaveLength(1);
  });

  it('names line, column, what is wrong and the remedy, in both languages', () => {
    const file = read('ts,pm25,radon\n2026-11-28T00:00Z,hujan,4\n');
    expect(problems(file)).toEqual([
      [2, 'pm25', 'schema_violation'],
      [2, 'radon', 'unknown_parameter'],
    ]);
    for (const { detail, remedy } of file.problems) {
      expect(detail).toMatch(/ \/ /);
      expect(remedy).not.toBe('');
    }
  });

  it('says of each line what ingest will say of it', () => {
    const time = fc.constantFrom(
      '2026-11-28T00:00Z',
      '1795785572',
      '17',
      '2026-02-30T00:00Z',
      '',
      '1990-01-01T00:00Z',
    );
    const cell = fc.oneof(
      fc.constantFrom('1.234', '12', '', '0x1', '1e999', 'x'),
      fc.string({ maxLength: 6 }),
    );
    const line = fc
      .tuple(time, fc.constantFrom('', '7', '-1', '1.5'), cell, cell)
      .map((cells) => cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
        const file = read(`ts,seq,pm25,radon\nx,,,\n${lines.join('\n')}`);
        const refuse = { ...POLICY, wrongClock: 'refuse' } as const;
        for (const { values, payload, ts } of file.rows) {
          const { outputs } = decodeNative('telemetry', payload);
          const believed = outputs.filter(
            (output) => !('refusal' in judgeTime(output.ts, RECEIVED_AT, refuse)),
          );
          expect(
            believed.map((output) => [
              output.ts,
              output.kind === 'telemetry'
                ? output.values.map(({ parameter, value }) => [parameter, value])
                : [],
            ]),
          ).toEqual(values.length === 0 ? [] : [[ts, values]]);
        }
      }),
    );
  });

  it.each([
    ['', /a header and at least one line/],
    ['ts,pm25\n', /at least one line/],
    ['time,pm25\n1,2\n', /no column ts/],
    ['ts,"pm25\n1,2\n', /cannot be read/],
  ])('refuses the whole of %j', (text, expected) => expect(() => read(text)).toThrow(expected));
});

describe('recorded files', () => {
  const file = (name: string, more: Partial<CsvOptions> = local): CsvFile =>
    read(readFileSync(join(import.meta.dirname, 'fixtures', `${name}.csv`), 'utf8'), more);

  it('of a logger that counts seconds: its own times', () => {
    expect(taken(file('epoch-seconds', {}))).toEqual([
      [2, '2026-11-27T13:19:32.000Z', { temperature: 20.5 }],
      [3, '2026-11-27T13:20:32.000Z', { temperature: 21.5 }],
      [4, '2026-11-27T13:21:32.000Z', { temperature: 22.5 }],
    ]);
  });

  it('of a clock that went on to 30 February: that line is refused, the others keep their days', () => {
    const found = file('day-that-does-not-exist');
    expect(taken(found)).toEqual([
      [2, '2026-02-28T03:00:00.000Z', { pm25: 10 }],
      [4, '2026-03-02T03:00:00.000Z', { pm25: 12 }],
    ]);
    expect(problems(found)).toEqual([[3, 'ts', 'schema_violation']]);
  });

  it('of a spreadsheet with points for thousands: never 1.234', () => {
    const found = file('thousands');
    const [, second] = taken(found);
    expect(second![2]).toEqual({ pm25: 13 });
    expect(problems(found)).toEqual([[3, 'co', expect.any(String)]]);
  });

  it('with months 0 and 50: both lines are refused', () => {
    const found = file('impossible-dates', {});
    expect(taken(found)).toEqual([]);
    expect(problems(found)).toEqual([
      [2, 'ts', 'schema_violation'],
      [3, 'ts', 'schema_violation'],
    ]);
  });
});
