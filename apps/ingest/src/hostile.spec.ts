import { toParameterUnit } from '#libs/air-quality';
import type { Entry, Journal } from '#libs/journal';
import { seededRandom } from '#libs/kernel';
import type { StreamName, StreamTypes } from '#libs/streams';
import {
  isParameter,
  REJECTION_REASONS,
  TopicMappings,
  UNITS,
  type JournalRef,
  type Uplink,
} from '#libs/telemetry';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { numbersOfJson } from '../../../devices/codecs/codec.contract.js';
import { numbersOfProtobuf } from '../../../devices/codecs/sparkplug-b/sparkplug.fixture.js';
import { HostileMessages, MAPPINGS } from './hostile.fixture.js';
import { NOW, openIngest } from './ingest.fixture.js';

const MESSAGES = 100_000;
const AT_A_TIME = 4_000;
/** What eighty thousand messages may leave behind. A leak of a hundred bytes a message would be more. */
const MAX_GROWTH = 6_000_000;
/** Beyond these a message of a thousand faults would fill the disk: the entries of `rejected` that one may cause, and their bytes. */
const MAX_REJECTIONS = 40;
const MAX_REJECTED_BYTES = 64_000;

/** Every codec that reads values, and every reason for which ingest refuses under the default policy of time. */
const READ_BY = [
  ...['airgradient', 'chirpstack', 'esphome', 'fiware', 'purpleair', 'senml', 'sensor-community', 'shelly'],
  ...['sparkplug-b', 'tasmota', 'the-things-stack', 'zigbee2mqtt'],
];
const REASONS = [
  ...['json_too_deep', 'not_finite', 'not_json', 'nothing_to_keep', 'number_as_text'],
  ...['other_sensor', 'repeated'],
  // Those of time are of messages that state several instants.
  ...['schema_violation', 'timestamp_in_future', 'timestamp_too_old', 'too_late'],
  ...['unknown_device', 'unknown_parameter', 'unknown_unit', 'unreadable'],
];

/** Reads a stream to its end, from where it stopped last, and lets go of what it has read. */
class Tail<S extends StreamName> {
  readonly #next: number[] = [];

  constructor(
    private readonly journal: Journal,
    private readonly stream: S,
  ) {}

  async read(): Promise<Entry<StreamTypes[S]>[]> {
    const found: Entry<StreamTypes[S]>[] = [];
    for (let shard = 0; shard < this.journal.shards; shard++) {
      const entries = await this.journal.read(this.stream, shard, this.#next[shard] ?? 0, 1_000_000);
      this.#next[shard] = (this.#next[shard] ?? 0) + entries.length;
      found.push(...entries);
    }
    await this.journal.retain(this.stream, { maxBytes: 0 });
    return found;
  }
}

const keyOf = ({ shard, offset }: JournalRef): string => `${shard}/${offset}`;

/** Every number that the message may stand for; undefined where that is too much to count. */
function numbersIn({ kind, topic, codec, payload }: Uplink): ReadonlySet<number> | undefined {
  if (topic.startsWith('spBv1.0/') || codec === 'sparkplug-b') return numbersOfProtobuf(payload);
  if (/\/sensor\/[^/]+\/state$/.test(topic) || codec === 'esphome')
    return new Set([Number(Buffer.from(payload))]);
  const numbers = numbersOfJson(payload);
  if (kind !== 'foreign' || !(topic.startsWith('senml/') || codec === 'senml')) return numbers;
  // SenML adds a base value to a value.
  if (numbers.size > 60) return undefined;
  return new Set([...numbers, ...[...numbers].flatMap((a) => [...numbers].map((b) => a + b))]);
}

/** Objects alone: what lies outside the heap goes when the system likes, and hangs on an object of the heap. */
function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('ingest', () => {
  it(`accounts for each of ${MESSAGES} hostile messages, invents no number and forgets what is over`, async () => {
    await using ingest = await openIngest({ mappings: new TopicMappings(MAPPINGS) });
    const { journal, complaints } = ingest;
    const messages = new HostileMessages(seededRandom(20260102));
    const tails = {
      uplink: new Tail(journal, 'uplink'),
      readings: new Tail(journal, 'readings'),
      signals: new Tail(journal, 'signals'),
      commands: new Tail(journal, 'commands'),
      rejected: new Tail(journal, 'rejected'),
    };
    const outcomes = { readings: 0, signals: 0, commands: 0, rejected: 0 };
    const reasons = new Set<string>();
    const codecs = new Set<string>();
    const mappings = new TopicMappings(MAPPINGS);
    let checked = 0;
    let heap = 0;
    for (let taken = 0; taken < MESSAGES; taken += AT_A_TIME) {
      // The first messages fill the caches and make the code hot.
      if (taken === 5 * AT_A_TIME) heap = heapAfterCollection();
      await ingest.take(Array.from({ length: AT_A_TIME }, (_, i) => messages.next(NOW + (taken + i) * 10)));
      const uplinks = new Map((await tails.uplink.read()).map((entry) => [keyOf(entry), entry.data]));
      const open = new Set(uplinks.keys());
      const settle = (ref: JournalRef, outcome: keyof typeof outcomes): Uplink => {
        outcomes[outcome]++;
        open.delete(keyOf(ref));
        return uplinks.get(keyOf(ref))!;
      };

      for (const { data } of await tails.readings.read()) {
        const { uplink: ref, ts, amendment, readings } = data;
        // An amendment says again what an earlier message said.
        if (amendment === true) continue;
        const uplink = settle(ref, 'readings');
        if (!Number.isSafeInteger(ts)) throw new Error(`${ts} of ${shown(uplink)}`);
        const numbers = numbersIn(uplink);
        codecs.add(uplink.codec ?? mappings.match(uplink.topic)?.mapping.codec ?? 'native');
        for (const { parameter, value } of readings) {
          if (!Number.isFinite(value)) throw new Error(`${parameter} ${value} of ${shown(uplink)}`);
          if (numbers === undefined || !isParameter(parameter)) continue;
          checked++;
          if (numbers.has(value)) continue;
          const isConverted = [...numbers].some((stated) =>
            UNITS.some((unit) => toParameterUnit(parameter, stated, unit) === value),
          );
          if (!isConverted) throw new Error(`${parameter} ${value} is not in ${shown(uplink)}`);
        }
      }
      for (const { data } of await tails.signals.read()) if ('uplink' in data) settle(data.uplink, 'signals');
      for (const { data } of await tails.commands.read())
        if (data.uplink !== undefined) settle(data.uplink, 'commands');
      const refused = new Map<string, { entries: number; bytes: number }>();
      for (const { data } of await tails.rejected.read()) {
        const { reason, detail, source, payload } = data;
        // Not `expect`, which takes longer than the stage, a hundred thousand times.
        const uplink = settle(source!, 'rejected');
        if (reason === 'handler_failed' || !REJECTION_REASONS.includes(reason) || detail === '')
          throw new Error(`${reason} "${detail}" of ${shown(uplink)}`);
        reasons.add(reason);
        const { entries, bytes } = refused.get(keyOf(source!)) ?? { entries: 0, bytes: 0 };
        refused.set(keyOf(source!), { entries: entries + 1, bytes: bytes + (payload?.length ?? 0) });
      }
      for (const [key, { entries, bytes }] of refused) {
        const uplink = uplinks.get(key)!;
        if (entries > MAX_REJECTIONS || bytes > uplink.payload.length + MAX_REJECTED_BYTES)
          throw new Error(`${entries} refusals with ${bytes} bytes of ${shown(uplink)}`);
      }
      expect([...open].map((key) => shown(uplinks.get(key)!))).toEqual([]);
    }
    expect(complaints).toEqual([]);
    expect(heapAfterCollection() - heap).toBeLessThan(MAX_GROWTH);

    // Nothing of it held only because nothing came through. Much is refused: makers share devices here, and a series is of one sensor.
    expect([...codecs].sort()).toEqual([...READ_BY, 'native'].sort());
    expect([...reasons].sort()).toEqual(REASONS);
    expect(checked).toBeGreaterThan(15_000);
    expect(outcomes.readings).toBeGreaterThan(5_000);
    expect(outcomes.signals).toBeGreaterThan(3_000);
    expect(outcomes.commands).toBeGreaterThan(500);
  }, 120_000);
});

function shown({ device, topic, codec, payload }: Uplink): string {
  return `${device} ${topic}${codec ?? ''} (${payload.length} bytes): ${Buffer.from(payload).toString().slice(0, 500)}`;
}
