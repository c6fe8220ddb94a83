import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Answer } from '../http/answer.js';
import type { readingSchema } from '../readings/readings-answer.js';

type Reading = Answer<typeof readingSchema>;

const REQUIRED = { repetition_type: 'REQUIRED' } as const;
const TEXT = { ...REQUIRED, type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
const MILLISECONDS = { ...REQUIRED, type: 'INT64' } as const;

/** The columns of the daily archive, each with what it says of a reading. */
const COLUMNS = [
  { name: 'site', kind: TEXT, of: ({ site }: Reading) => site },
  { name: 'device', kind: TEXT, of: ({ device }: Reading) => device },
  { name: 'parameter', kind: TEXT, of: ({ parameter }: Reading) => parameter },
  { name: 'ts', kind: MILLISECONDS, of: ({ ts }: Reading) => BigInt(Date.parse(ts)) },
  { name: 'value', kind: { ...REQUIRED, type: 'DOUBLE' }, of: ({ value }: Reading) => value },
  {
    name: 'flag',
    kind: { ...REQUIRED, type: 'INT32', converted_type: 'UINT_8' },
    of: ({ flag }: Reading) => flag,
  },
  {
    name: 'received_at',
    kind: MILLISECONDS,
    of: ({ receivedAt }: Reading) => BigInt(Date.parse(receivedAt)),
  },
] as const;

/** Readings as a Parquet file that begins with the first page: each page is a row group, and only one is in memory. */
export async function* parquetOf(pages: AsyncIterable<readonly Reading[]>): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter();
  const schema = COLUMNS.map(({ name, kind }) => ({ name, ...kind }));
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [{ name: 'root', num_children: schema.length }, ...schema],
  });
  const taken = (): Uint8Array => {
    const part = bytes.getBytes().slice();
    bytes.index = 0;
    return part;
  };
  for await (const page of pages) {
    if (page.length === 0) continue;
    const columnData = COLUMNS.map(({ name, of }) => ({
      name,
      data: page.map<string | number | bigint>(of),
    }));
    await writer.write({ columnData, rowGroupSize: page.length });
    yield taken();
  }
  await writer.finish();
  yield taken();
}
