import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import type { Journal } from '#libs/journal';
import type { Observation } from '#libs/telemetry';
import { temporaryFolder } from '#libs/testing';
import type { LiveFilter } from './live-channel.js';
import type { LiveEvent } from './live-event.js';
import { LiveFeed } from './live-feed.js';
import { parsePosition } from './live-position.js';

const T = Date.UTC(2026, 0, 1);
const ALL: LiveFilter = { topics: ['readings'], site: undefined, device: undefined };

const observation = (n: number, device = 'udara-01'): Observation => ({
  ...{ site: device === 'udara-01' ? 'betung' : 'sembawa', device },
  ...{ ts: T + n, receivedAt: T + n, uplink: { shard: 0, offset: n } },
  readings: [{ parameter: 'pm25', value: n, flag: 1 }],
});

class Fixture implements AsyncDisposable {
  readonly #folder = temporaryFolder('live');
  readonly errors: unknown[] = [];
  readonly #readers: Reader[] = [];
  now = T;
  journal!: Journal;
  state!: LmdbStateStore;
  feed!: LiveFeed;

  async open(): Promise<this> {
    this.state = LmdbStateStore.open(this.#folder.path);
    this.journal = await LmdbJournal.open({ state: this.state, clock: { now: () => this.now }, shards: 2 });
    this.feed = new LiveFeed(
      this.journal,
      () => undefined,
      (error) => this.errors.push(error),
    );
    return this;
  }

  async append(from: number, to: number, devices = ['udara-01', 'udara-02']): Promise<void> {
    const entries = [];
    for (let n = from; n < to; n++) {
      const device = devices[n % devices.length] as string;
      entries.push({ key: device, data: observation(n, device) });
    }
    await this.journal.append('readings', entries);
  }

  /** Begins to read; resolves when it stands at its place. */
  async read(filter: Partial<LiveFilter> = {}, lastEventId?: string): Promise<Reader> {
    const reader = new Reader(this.feed, { ...ALL, ...filter }, lastEventId);
    this.#readers.push(reader);
    await reader.start();
    return reader;
  }

  async close(): Promise<void> {
    this.feed.close();
    await Promise.all(this.#readers.splice(0).map((reader) => reader.stop()));
    await this.journal.close();
    await this.state.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.#folder[Symbol.dispose]();
    expect(this.errors).toEqual([]);
  }
}

class Reader {
  readonly #abort = new AbortController();
  readonly #events: AsyncGenerator<Buffer>;
  #ready: LiveEvent[] = [];
  last = '';

  constructor(feed: LiveFeed, filter: LiveFilter, lastEventId: string | undefined) {
    this.#events = feed.read(filter, parsePosition(lastEventId), this.#abort.signal);
  }

  async start(): Promise<void> {
    expect(await this.next()).toMatchObject({ type: 'start' });
  }

  async next(): Promise<LiveEvent> {
    while (this.#ready.length === 0) {
      this.#ready = parsed(await this.bytes());
    }
    const event = this.#ready.shift() as LiveEvent;
    this.last = event.id;
    return event;
  }

  async bytes(): Promise<Buffer> {
    const { value, done } = await this.#events.next();
    if (done === true) throw new Error('there are no more events');
    return value;
  }

  /** Values of the next events. */
  async values(count: number): Promise<number[]> {
    const values: number[] = [];
    while (values.length < count) {
      const { text, type } = await this.next();
      if (type === 'readings') values.push((JSON.parse(text) as Observation).readings[0]!.value);
    }
    return values;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#events.return(undefined);
  }
}

/** As HTML 9.2.6 has it, as far as it is used. */
function parsed(bytes: Buffer): LiveEvent[] {
  const blocks = bytes.toString().split('\n\n');
  expect(blocks.pop()).toBe('');
  return blocks.map((block) => {
    const [, id, type = 'alive', text = ''] = /^id: (\S+)(?:\nevent: (\w+)\ndata: (.*))?$/.exec(block) ?? [];
    if (id === undefined) throw new Error(`this is no event: ${block}`);
    return { id, type: type as LiveEvent['type'], text };
  });
}

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('the live feed', () => {
  it('begins now, and tells each reader everything once, in the order of each device', async () => {
    await using fixture = await new Fixture().open();
    await fixture.append(0, 10);
    const readers = await Promise.all([fixture.read(), fixture.read()]);
    await fixture.append(10, 30);
    for (const reader of readers) {
      const values = await reader.values(20);
      expect(ascending(values)).toEqual(range(10, 30));
      for (const rest of [0, 1])
        expect(values.filter((n) => n % 2 === rest)).toEqual(range(10, 30).filter((n) => n % 2 === rest));
    }
  });

  it('goes on behind the last event that was seen, wherever that was, also after a restart', async () => {
    await using fixture = await new Fixture().open();
    const first = await fixture.read();
    await fixture.append(0, 7);
    const seen = await first.values(3);
    const { last } = first;
    await fixture.close();
    await fixture.open();
    await fixture.append(7, 9);
    const second = await fixture.read({}, last);
    await fixture.append(9, 12);
    expect(ascending([...seen, ...(await second.values(9))])).toEqual(range(0, 12));
  });

  it('gives whoever was away for long all of it, from the journal', async () => {
    await using fixture = await new Fixture().open();
    const away = await fixture.read();
    const watching = await fixture.read();
    const total = 4_000;
    for (let n = 0; n < total; n += 500) {
      await fixture.append(n, n + 500);
      await watching.values(500);
    }
    expect(ascending(await away.values(total))).toEqual(range(0, total));
    const back = await fixture.read({}, away.last);
    await fixture.append(total, total + 2);
    expect(ascending(await back.values(2))).toEqual([total, total + 1]);
  });

  it('sends what was asked for, and lets a place pass over the rest', async () => {
    await using fixture = await new Fixture().open();
    const one = await fixture.read({ device: 'udara-02' });
    const site = await fixture.read({ site: 'betung' });
    await fixture.append(0, 6);
    expect(await one.values(3)).toEqual([1, 3, 5]);
    expect(await site.values(3)).toEqual([0, 2, 4]);
  });

  it('hands the same bytes to all who ask for the same', async () => {
    await using fixture = await new Fixture().open();
    const asked = [{}, {}, { device: 'udara-02' }, { device: 'udara-02' }, { site: 'betung' }];
    const readers: Reader[] = [];
    for (const filter of asked) readers.push(await fixture.read(filter));
    const coming = readers.map((reader) => reader.bytes());
    await fixture.append(0, 4);
    const [all, allToo, one, oneToo, site] = await Promise.all(coming);
    expect([allToo, oneToo]).toEqual([all, one]);
    expect(allToo).toBe(all);
    expect(oneToo).toBe(one);
    expect(parsed(one!).map(({ text }) => (JSON.parse(text) as Observation).device)).toContain('udara-02');
    expect([one!.equals(all!), site!.equals(one!)]).toEqual([false, false]);
  });

  it('misses nothing and tells nothing twice where a reader who catches up goes over to what all are handed', async () => {
    await using fixture = await new Fixture().open();
    const total = 6_000;
    const devices = ['udara-01', 'udara-02'];
    const filters: Partial<LiveFilter>[] = [
      {},
      { device: 'udara-01' },
      { site: 'sembawa' },
      { topics: ['readings', 'alerts'] },
    ];
    const wantedOf = ({ device, site }: Partial<LiveFilter>): number[] =>
      range(0, total).filter(
        (n) =>
          (device === undefined || device === devices[n % 2]) &&
          (site === undefined || site === ['betung', 'sembawa'][n % 2]),
      );
    const first = await fixture.read();
    let isOver = false;
    const appending = (async () => {
      for (let n = 0; n < total; n += 20) {
        await fixture.append(n, n + 20, devices);
        // The journal commits what comes in one turn together; readers come and go between.
        await new Promise(setImmediate);
      }
      isOver = true;
    })();
    const following = async (filter: Partial<LiveFilter>, patience: number): Promise<void> => {
      const wanted = wantedOf(filter);
      let lastId: string | undefined = 'readings.0.0';
      const seen: number[] = [];
      while (seen.length < wanted.length) {
        // Comes back with its last event, again and again, at places of its own.
        const reader: Reader = await fixture.read(filter, lastId);
        const most = isOver ? wanted.length : patience;
        seen.push(...(await reader.values(Math.min(most, wanted.length - seen.length))));
        lastId = reader.last;
        await reader.stop();
      }
      expect(ascending(seen)).toEqual(wanted);
      for (const rest of [0, 1]) {
        const ofDevice = seen.filter((n) => n % 2 === rest);
        expect(ofDevice).toEqual(ascending(ofDevice));
      }
    };
    await Promise.all([
      appending,
      ...[7, 60, 333, total].flatMap((patience) => filters.map((filter) => following(filter, patience))),
    ]);
    expect(ascending(await first.values(total))).toEqual(range(0, total));
  });

  it('does not wait for a slow reader, who is then given all of it once, in the order of each device', async () => {
    await using fixture = await new Fixture().open();
    const [slow, quick] = [await fixture.read(), await fixture.read()];
    const [seen, seenBySlow]: number[][] = [[], []];
    for (let n = 0; n < 1_200; n += 40) {
      await fixture.append(n, n + 40);
      seen!.push(...(await quick.values(40)));
      // It takes one event of forty, until others are far away.
      seenBySlow!.push(...(await slow.values(1)));
    }
    expect(ascending(seen!)).toEqual(range(0, 1_200));
    seenBySlow!.push(...(await slow.values(1_200 - seenBySlow!.length)));
    expect(ascending(seenBySlow!)).toEqual(range(0, 1_200));
    for (const rest of [0, 1]) {
      const ofDevice = seenBySlow!.filter((n) => n % 2 === rest);
      expect(ofDevice).toEqual(ascending(ofDevice));
    }
    // Caught up, it is handed what all are.
    const coming = [slow, quick].map((reader) => reader.bytes());
    await fixture.append(1_200, 1_201);
    const [bySlow, byQuick] = await Promise.all(coming);
    expect(bySlow).toBe(byQuick);
  });

  it('reads a page of the journal once for all who come back after a restart', async () => {
    await using fixture = await new Fixture().open();
    const first = await fixture.read();
    await fixture.append(0, 3_000);
    await first.values(10);
    const { last } = first;
    await fixture.close();
    await fixture.open();
    let pages = 0;
    const read = fixture.journal.read.bind(fixture.journal);
    fixture.journal.read = (async (...args: Parameters<Journal['read']>) => {
      pages++;
      return read(...args);
    }) as Journal['read'];
    const readers = await Promise.all(Array.from({ length: 20 }, () => fixture.read({}, last)));
    const all = await Promise.all(readers.map((reader) => reader.values(2_990)));
    for (const values of all) expect(ascending(values)).toHaveLength(2_990);
    // Some six pages; a reader that falls out of step reads one by itself.
    expect(pages).toBeLessThan(20);
  });

  it('leaves the thread to others while a reader whom little concerns catches up', async () => {
    await using fixture = await new Fixture().open();
    await fixture.append(0, 20_000, ['udara-01']);
    // Behind all of them, in their shard.
    await fixture.journal.append('readings', [{ key: 'udara-01', data: observation(20_000, 'udara-02') }]);
    const reader = await fixture.read({ device: 'udara-02' }, 'readings.0.0');
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    expect(await reader.values(1)).toEqual([20_000]);
    isOver = true;
    // A page is 500 entries.
    expect(turns).toBeGreaterThan(30);
  });

  it('says how much retention took before it was read', async () => {
    await using fixture = await new Fixture().open();
    const reader = await fixture.read({}, 'readings.0.0');
    await reader.stop();
    await fixture.append(0, 5_000, ['udara-01']);
    fixture.now = T + 10_000;
    await fixture.append(5_000, 5_001, ['udara-01']);
    const reports = await fixture.journal.retain('readings', { maxAge: 5_000, unread: 'drop' });
    const dropped = reports.reduce((sum, report) => sum + report.dropped, 0);
    expect(dropped).toBeGreaterThan(0);
    const late = await fixture.read({}, reader.last);
    expect(JSON.parse((await late.next()).text)).toEqual({ topic: 'readings', entries: dropped });
    expect((await late.values(1))[0]).toBe(dropped);
  });

  it('says so when an id is of another journal, and begins now', async () => {
    await using fixture = await new Fixture().open();
    await fixture.append(0, 2);
    const reader = await fixture.read({}, 'readings.900.900');
    expect(await reader.next()).toMatchObject({ type: 'lost', text: '{"topic":"readings","entries":null}' });
    await fixture.append(2, 3);
    expect(await reader.values(1)).toEqual([2]);
  });

  it('follows nothing when nobody reads, and begins anew at the end', async () => {
    await using fixture = await new Fixture().open();
    const reader = await fixture.read();
    await reader.stop();
    expect(fixture.feed.readers).toBe(0);
    await fixture.append(0, 3);
    const next = await fixture.read();
    await fixture.append(3, 4);
    expect(await next.values(1)).toEqual([3]);
  });

  it.each(['x', 'readings', 'readings.1.x', 'readings.-1.0', 'alarms.0.0'])(
    'refuses the id %s by name',
    (id) => {
      expect(() => parsePosition(id)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
    },
  );
});
