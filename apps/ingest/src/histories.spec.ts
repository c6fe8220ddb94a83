import { eachEntry } from '#libs/journal';
import type { Uplink } from '#libs/telemetry';
import { NOW, openIngest, type IngestFixture } from './ingest.fixture.js';

const base = { site: 'betung', device: 'udara-02', topic: '', receivedAt: NOW, qos: 1, dup: false } as const;
const http = { messageId: undefined, session: 'http', will: false } as const;

function native(ts: number, more: Partial<Uplink> = {}): Uplink {
  const payload = Buffer.from(`{"ts":${ts},"values":{"pm25":12}}`);
  return { ...base, ...http, kind: 'telemetry', payload, ...more };
}

/** Buffered records in one message, in seconds since 1970. */
function pack(...seconds: readonly number[]): Uplink {
  const records = seconds.map((t) => ({ n: 'pm25', u: 'ug/m3', v: 12, t }));
  return { ...base, ...http, kind: 'foreign', codec: 'senml', payload: Buffer.from(JSON.stringify(records)) };
}

async function outcome({ journal }: IngestFixture): Promise<[number[], string[]]> {
  const stored: number[] = [];
  const refused: string[] = [];
  await eachEntry(journal, 'readings', ({ data: { ts } }) => stored.push(ts));
  await eachEntry(journal, 'rejected', ({ data: { reason } }) => refused.push(reason));
  return [stored, refused];
}

const LONG_AGO = Date.UTC(1990, 0, 1);
const NOW_S = Math.floor(NOW / 1000);

describe('a clock that cannot be true', () => {
  it('gives way to the arrival in a message of one instant', async () => {
    await using ingest = await openIngest();
    await ingest.take([native(LONG_AGO), pack(LONG_AGO / 1000)]);
    expect((await outcome(ingest))[0]).toHaveLength(2);
  });

  it('is refused in the row of a file, whose measurement was not at its arrival', async () => {
    await using ingest = await openIngest();
    const row = (ts: number): Uplink => native(ts, { fromFile: true });
    await ingest.take([row(NOW - 60_000), row(LONG_AGO), row(NOW + 86_400_000)]);
    expect(await outcome(ingest)).toEqual([[NOW - 60_000], ['timestamp_too_old', 'timestamp_in_future']]);
  });

  it('is refused in a message of several instants, which is a history', async () => {
    await using ingest = await openIngest();
    await ingest.take([pack(NOW_S - 120, NOW_S - 60, LONG_AGO / 1000)]);
    expect(await outcome(ingest)).toEqual([
      [(NOW_S - 120) * 1000, (NOW_S - 60) * 1000],
      ['timestamp_too_old'],
    ]);
  });
});
