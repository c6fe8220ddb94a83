import { eachEntry } from '#libs/journal';
import type { Reading, Uplink } from '#libs/telemetry';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOW, openIngest } from '../ingest.fixture.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Later than any test lasts, so that nothing is ahead of its arrival. */
const FROM = NOW - 24 * HOUR;

function uplink(at: number, kind: 'telemetry' | 'foreign', body: object): Uplink {
  return {
    ...{ site: 'betung', device: 'udara-02', kind, topic: '', payload: Buffer.from(JSON.stringify(body)) },
    ...(kind === 'foreign' ? { codec: 'zigbee2mqtt' } : {}),
    ...{ receivedAt: FROM + at, qos: 1, messageId: undefined, dup: false, session: 's', will: false },
  };
}

/** Messages of equal distance, the first at 0. */
function every(interval: number, lasting: number, message: (at: number, i: number) => Uplink): Uplink[] {
  return Array.from({ length: Math.ceil(lasting / interval) }, (_, i) => message(i * interval, i));
}

/** The PM2.5 of each message, in order of time; the device promises one a minute. */
async function pm25Of(uplinks: readonly Uplink[]): Promise<Reading[]> {
  await using ingest = await openIngest();
  await ingest.take(uplinks);
  const found: [number, Reading][] = [];
  await eachEntry(ingest.journal, 'readings', ({ data: { ts, readings, amendment } }) => {
    for (const reading of readings)
      if (reading.parameter === 'pm25' && amendment !== true) found.push([ts, reading]);
  });
  return found.sort(([a], [b]) => a - b).map(([, reading]) => reading);
}

const REPEATED = recorded<{ readonly message: { readonly pm25: number; readonly humidity: number } }>(
  '../../../../devices/codecs/zigbee2mqtt/fixtures/repeats-count.json',
).message;

/** Zigbee2MQTT repeats PM2.5 in every message that another key causes. */
const zigbee = (pm25: (at: number) => number) => (at: number, i: number) =>
  uplink(at, 'foreign', {
    ...{ ...REPEATED, last_seen: new Date(FROM + at).toISOString() },
    ...{ pm25: pm25(at), temperature: Math.round((27 + i / 100) * 100) / 100 },
  });

function recorded<T>(file: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as T;
}

const shareOf = (readings: readonly Reading[], test: string): number =>
  readings.filter(({ failed }) => failed?.includes(test) === true).length / readings.length;

describe('a value that is repeated in messages about something else', () => {
  it.each([
    ['40 minutes', 40 * MINUTE],
    ['5 hours', 5 * HOUR],
  ])('is one measurement, however often it comes: nothing is suspect in %s', async (_what, lasting) => {
    const readings = await pm25Of(
      every(
        20 * SECOND,
        lasting,
        zigbee(() => REPEATED.pm25),
      ),
    );
    expect(readings).toHaveLength(lasting / (20 * SECOND));
    expect(readings.filter(({ flag }) => flag !== 1)).toEqual([]);
  });

  it('does not make a change in twenty minutes one in twenty seconds', async () => {
    const readings = await pm25Of(
      every(
        20 * SECOND,
        HOUR,
        zigbee((at) => (at < 20 * MINUTE ? 20 : 190)),
      ),
    );
    expect(readings.filter(({ flag }) => flag !== 1)).toEqual([]);
  });

  it('is a flat line when it does not move for most of a day', async () => {
    const readings = await pm25Of(
      every(
        20 * SECOND,
        20 * HOUR,
        zigbee(() => 11),
      ),
    );
    expect(shareOf(readings, 'flat_line')).toBeGreaterThan(0.4);
  });
});

describe('a sensor that is stuck', () => {
  const stuckNative = (at: number): Uplink =>
    uplink(at, 'telemetry', { ts: FROM + at, values: { pm25: 11, temperature: 27 } });

  it.each([
    ['says so itself, with its times', stuckNative],
    ['reports over Zigbee2MQTT no more often than it promised', zigbee(() => 11)],
  ])('every 5 minutes for 12 hours is flagged for most of them: %s', async (_what, message) => {
    const readings = await pm25Of(every(5 * MINUTE, 12 * HOUR, message));
    expect(readings).toHaveLength(144);
    expect(shareOf(readings, 'flat_line')).toBeGreaterThan(0.9);
  });

  it('is never right at the ceiling of its counter, and failed after three hours', async () => {
    const { parameter, everySeconds, values } = recorded<{
      readonly parameter: string;
      readonly everySeconds: number;
      readonly values: string;
    }>('fixtures/sds011-at-its-ceiling.json');
    const ceiling = (at: number): Uplink =>
      uplink(at, 'telemetry', { ts: FROM + at, values: { [parameter]: parseFloat(values) } });
    const interval = everySeconds * SECOND;
    const readings = await pm25Of(every(interval, 6 * HOUR, ceiling));
    expect(readings).toHaveLength(144);
    const flags = readings.map(({ flag }) => flag);
    expect(flags).toEqual(flags.map((_, i) => (i * interval < 3 * HOUR ? 3 : 4)));
  });
});
