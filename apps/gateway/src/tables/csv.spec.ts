import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { alertsSchema } from '../alerts/alerts-answer.js';
import { devicesSchema } from '../devices/devices-answer.js';
import { disagreementsSchema } from '../rollups/rollups-answer.js';
import { columnsOf } from './columns.js';
import { cellOf, csvOf } from './csv.js';

async function text(items: readonly object[], span = {}, pageSize = 2): Promise<string> {
  const columns = columnsOf(schema)!;
  async function* pages(): AsyncGenerator<readonly object[]> {
    for (let i = 0; i < items.length; i += pageSize) yield items.slice(i, i + pageSize);
  }
  const parts: string[] = [];
  for await (const part of csvOf(columns, pages(), span)) parts.push(part);
  return parts.join('');
}
const schema = z.strictObject({
  items: z.array(
    z.strictObject({ name: z.string(), value: z.number().nullable(), tags: z.array(z.string()) }),
  ),
});

describe('a table as CSV', () => {
  it('holds what the items hold, figure by figure, whatever they are', async () => {
    const item = fc.record({
      name: fc.string({ unit: 'binary' }).filter((name) => !/\p{Surrogate}/u.test(name)),
      value: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      tags: fc.array(fc.string()),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 5 }), async (items) => {
        const [head, ...rows] = parse(await text(items));
        const last = rows.pop();
        expect(head).toEqual(['name', 'value', 'tags']);
        expect(last?.[0]).toContain(`rows=${items.length} `);
        for (const [i, { name, value, tags }] of items.entries()) {
          const [shown = '', figure = '', list = ''] = rows[i]!;
          expect([name, `'${name}`]).toContain(shown);
          expect(figure === '' ? null : Object.is(Number(figure), -0) ? 0 : Number(figure)).toEqual(
            value === null ? null : value + 0,
          );
          expect(JSON.parse(list)).toEqual(tags);
        }
      }),
    );
  });

  it('ends with the number of its rows, a hash of all before, both ends of the interval and the zone', async () => {
    const span = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' };
    const file = await text([{ name: 'a', value: 1, tags: [] }], span);
    const at = file.lastIndexOf('#end');
    const hash = createHash('sha256').update(file.slice(0, at)).digest('hex');
    expect(file.slice(at)).toBe(`#end rows=1 sha256=${hash} from=${span.from} to=${span.to} times=UTC,,\r\n`);
    expect(await text([])).toMatch(/^name,value,tags\r\n#end rows=0 sha256=\w{64} times=UTC,,\r\n$/);
  });

  it('holds no text that a spreadsheet would compute, and leaves numbers alone', () => {
    for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', '#end rows=0'])
      expect(cellOf(formula)).toMatch(/^"?'/);
    expect([-1.5, 1e-7, 0.1 + 0.2, true].map(cellOf)).toEqual([
      '-1.5',
      '1e-7',
      '0.30000000000000004',
      'true',
    ]);
    expect(cellOf('2026-01-01T00:00:00.000Z')).toBe('2026-01-01T00:00:00.000Z');
  });
});

describe('the columns of a list', () => {
  it('come from the schema of its answer, members within members too', () => {
    const names = (answer: z.ZodType): string[] => columnsOf(answer)!.map(({ name }) => name);
    expect(names(devicesSchema)).toEqual(
      expect.arrayContaining(['id', 'speaksFor', 'presence.state', 'heartbeat.reason', 'latest.pm25.value']),
    );
    expect(names(disagreementsSchema)).toEqual(
      expect.arrayContaining(['hour', 'hourEnd', 'mean', 'unit', 'neighbours.median']),
    );
    expect(columnsOf(z.strictObject({ count: z.int() }))).toBeUndefined();
  });

  it('say both ends of an hour, and whatever else an item has', () => {
    const cell = (answer: z.ZodType, wanted: string, item: object): unknown =>
      columnsOf(answer)!
        .find(({ name }) => name === wanted)!
        .of(item as never);
    expect(cell(disagreementsSchema, 'hourEnd', { hour: '2026-01-01T23:00:00.000Z' })).toBe(
      '2026-01-02T00:00:00.000Z',
    );
    expect(cell(alertsSchema, 'more', { alert: 'a', lines: [1] })).toEqual({ lines: [1] });
    expect(cell(alertsSchema, 'title.id', { title: { id: 'Tinggi' } })).toBe('Tinggi');
  });
});
