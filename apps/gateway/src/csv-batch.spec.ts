import { HOUR } from '#libs/kernel';
import { readCsvBatch } from './csv-batch.js';

const read = (text: string, utcOffsetMs?: number): [number, unknown][] =>
  readCsvBatch(text, utcOffsetMs).map(({ line, payload }) => [
    line,
    JSON.parse(payload.toString()) as unknown,
  ]);

describe('readCsvBatch', () => {
  it('makes a message of each line, and leaves out what was not measured', () => {
    expect(read('ts,seq,PM25,humidity\n2026-01-01T00:00:00Z,7,12.5,80\n1767225660000,,,81\n')).toEqual([
      [2, { ts: '2026-01-01T00:00:00Z', seq: 7, values: { pm25: 12.5, humidity: 80 } }],
      [3, { ts: 1767225660000, values: { humidity: 81 } }],
    ]);
  });

  it('takes the decimal comma where semicolons separate', () => {
    expect(read('\uFEFFts;pm25\r\n2026-01-01T00:00:00Z;12,5\r\n')).toEqual([
      [2, { ts: '2026-01-01T00:00:00Z', values: { pm25: 12.5 } }],
    ]);
  });

  it('takes local times when it is told their offset, and leaves them to be refused when it is not', () => {
    const text = 'ts,pm25\n2026-01-01 07:00:00,1\n2026-01-01 07:00,1\n2026-02-30 07:00,1\n';
    expect(read(text, 7 * HOUR).map(([, message]) => (message as { ts: string }).ts)).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:00:00.000Z',
      expect.stringContaining('2026-0'),
    ]);
    expect(read(text).map(([, message]) => (message as { ts: string }).ts)[0]).toBe('2026-01-01T07:00:00');
  });

  it('keeps what is no number as text, for ingest to refuse', () => {
    expect(read('ts,pm25\nyesterday,high\n')).toEqual([[2, { ts: 'yesterday', values: { pm25: 'high' } }]]);
  });

  it.each([
    ['', /a header and at least one line/],
    ['ts,pm25\n', /at least one line/],
    ['time,pm25\n1,2\n', /no column ts/],
    ['ts,"pm25\n1,2\n', /cannot be read/],
  ])('refuses the whole of %j', (text, expected) =>
    expect(() => readCsvBatch(text, undefined)).toThrow(expected),
  );
});
