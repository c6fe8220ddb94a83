import 'reflect-metadata';
import { LocalNeighbourQueries } from '#libs/evidence';
import { DISAGREEMENTS, JUDGED_MEANS } from '#namespaces/evidence';
import { Registry, type Device } from '#libs/identity';
import { createStage } from '#libs/journal-transport';
import { lagOf, type Journal } from '#libs/journal';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { HOUR, MINUTE, seededRandom, type UtcMillis } from '#libs/kernel';
import {
  nearestNeighbours,
  neighbourConsensus,
  qcLimitsSchema,
  type NeighbourReading,
} from '#libs/quality-control';
import { type HourlyMean, type MeasuredParameter, type Observation, type QualityFlag } from '#libs/telemetry';
import { temporaryFolder, waitUntil, silentLogger } from '#libs/testing';
import fc from 'fast-check';
import { EvidenceModule } from './evidence.module.js';

const clock = { now: () => 1_000 };
const START = Date.parse('2026-01-05T00:00:00Z');

/** Two sites 6 km apart, and one far away; of the last nobody knows where it is. */
const SITES = [
  { id: 'betung', name: 'Betung', latitude: -2.85, longitude: 104.23 },
  { id: 'sembawa', name: 'Sembawa', latitude: -2.9, longitude: 104.25 },
  { id: 'sungsang', name: 'Sungsang', latitude: -2.36, longitude: 104.9 },
  { id: 'lain', name: 'Lain' },
];
const device = (id: string, site: string): Device => ({
  id,
  site,
  kind: 'air',
  name: id,
  intervalMs: 30 * MINUTE,
});
const DEVICES = [
  device('udara-1', 'betung'),
  device('udara-2', 'betung'),
  device('udara-3', 'sembawa'),
  device('udara-4', 'sembawa'),
  device('udara-5', 'sungsang'),
  device('udara-6', 'lain'),
];

interface Fixture extends AsyncDisposable {
  readonly journal: Journal;
  readonly state: LmdbStateStore;
  readonly registry: Registry;
  /** Appends to a stream and waits until the stage has read what follows from it. */
  take(stream: 'readings', entries: readonly Observation[]): Promise<void>;
  take(stream: 'neighbourhoods', entries: readonly HourlyMean[]): Promise<void>;
  /** All that the stage remembers of neighbours, as text that differs where a byte does. */
  remembered(): Promise<string>;
}

/** The evidence stage on a journal of its own. */
async function open({
  maxBatch = 2_000,
  devices = DEVICES,
  limits,
}: { maxBatch?: number; devices?: readonly Device[]; limits?: unknown } = {}): Promise<Fixture> {
  const folder = temporaryFolder('neighbours');
  const state = LmdbStateStore.open(folder.path);
  const journal = await LmdbJournal.open({ state, clock, shards: 2 });
  const registry = new Registry(state);
  for (const site of SITES) await registry.putSite(site);
  for (const each of devices) await registry.putDevice(each);
  const qcLimits = limits === undefined ? undefined : qcLimitsSchema.parse(limits);
  const app = await createStage(EvidenceModule.register(10_000, registry, qcLimits), {
    stage: 'evidence',
    journal,
    state,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    maxBatch,
  });
  await app.listen();
  return {
    journal,
    state,
    registry,
    async take(stream: string, entries: readonly (Observation | HourlyMean)[]) {
      await journal.append(
        stream,
        entries.map((data) => ({
          key: stream === 'readings' ? data.device : (data as HourlyMean).parameter,
          data,
        })),
      );
      for (const read of ['readings', 'neighbourhoods'] as const)
        await waitUntil('the stage caught up', async () => (await lagOf(journal, 'evidence', read)) === 0);
    },
    async remembered() {
      return JSON.stringify([await state.list(JUDGED_MEANS), await state.list(DISAGREEMENTS)]);
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}

const mean = (
  id: string,
  value: number | null,
  parameter: MeasuredParameter = 'pm25',
  hour: UtcMillis = START,
): HourlyMean => ({ device: id, parameter, hour, mean: value });

/** Three that agree, and a value of the first. */
const amongThree = (value: number | null): HourlyMean[] => [
  mean('udara-2', 20),
  mean('udara-1', value),
  mean('udara-3', 22),
  mean('udara-4', 25),
];

async function opinion({ state }: Fixture, id: string, hour = START): Promise<unknown> {
  return (await new LocalNeighbourQueries(state).opinions(id, 'pm25', [hour]))[0];
}

const pm25 = (id: string, ts: UtcMillis, value: number, flag: QualityFlag = 1): Observation => ({
  site: DEVICES.find((each) => each.id === id)!.site,
  device: id,
  ts,
  receivedAt: ts,
  uplink: { shard: 0, offset: 0 },
  readings: [{ parameter: 'pm25', value, flag }],
});

describe('neighbours of the evidence stage', () => {
  it('are asked when the hours of a device are over, again after a correction, and not about an hour without a mean', async () => {
    await using fixture = await open();
    const values = { 'udara-1': 200, 'udara-2': 20, 'udara-3': 22, 'udara-4': 25 };
    const hour = (h: number): Observation[] =>
      Object.entries(values).map(([id, value]) => pm25(id, START + h * HOUR, value));
    await fixture.take('readings', hour(0));
    expect(await fixture.remembered()).toBe('[[],[]]');
    await fixture.take('readings', hour(1));
    const alone = { flag: 3, failed: ['neighbour'], count: 3, median: 22 };
    expect(await opinion(fixture, 'udara-1')).toEqual(alone);
    expect(await opinion(fixture, 'udara-2')).toEqual({ flag: 1, failed: [], count: 3, median: 25 });
    expect(
      await new LocalNeighbourQueries(fixture.state).disagreements(
        ['pm25'],
        { from: START, to: START + HOUR },
        10,
      ),
    ).toEqual([{ device: 'udara-1', parameter: 'pm25', hour: START, mean: 200, neighbours: alone }]);

    // Late readings: of the drifting one, which bring its mean down; then of a neighbour.
    await fixture.take('readings', [
      pm25('udara-1', START + MINUTE, 20),
      pm25('udara-1', START + 2 * MINUTE, -10),
    ]);
    expect(await opinion(fixture, 'udara-1')).toMatchObject({ flag: 1, median: 22 });
    await fixture.take('readings', [pm25('udara-3', START + MINUTE, 30)]);
    expect(await opinion(fixture, 'udara-1')).toMatchObject({ flag: 1, median: 25 });
    expect(
      await new LocalNeighbourQueries(fixture.state).disagreements(['pm25'], { from: 0, to: 2 * START }, 10),
    ).toEqual([]);

    // The flag of the only reading of the hour changes: nothing is left to compare, and others have one less to ask.
    await fixture.take('readings', [pm25('udara-2', START, 20, 4)]);
    expect(await opinion(fixture, 'udara-2')).toBeUndefined();
    expect(await opinion(fixture, 'udara-1')).toBeUndefined();
    expect(await fixture.remembered()).not.toContain('udara-2');
  });

  it('take back what they said when an hour has no mean any more', async () => {
    await using fixture = await open();
    const three = amongThree(200).filter(({ device: id }) => id !== 'udara-1');
    await fixture.take('neighbourhoods', three);
    const before = await fixture.remembered();
    await fixture.take('neighbourhoods', [mean('udara-1', 200)]);
    expect(await opinion(fixture, 'udara-1')).toMatchObject({ flag: 3 });
    expect(await fixture.remembered()).not.toBe(before);
    await fixture.take('neighbourhoods', [mean('udara-1', null)]);
    expect(await fixture.remembered()).toBe(before);
    await fixture.take('neighbourhoods', [mean('udara-5', null)]);
    expect(await fixture.remembered()).toBe(before);
  });

  it('are those nearby, in number, and of the same parameter and hour', async () => {
    await using fixture = await open();
    await fixture.take('neighbourhoods', [
      ...amongThree(200).slice(0, 3),
      // Far away, in an unknown place, of another hour, of another parameter: none of them is asked.
      mean('udara-5', 20),
      mean('udara-6', 20),
      mean('udara-4', 25, 'pm25', START + HOUR),
      mean('udara-4', 25, 'pm10'),
    ]);
    expect(await opinion(fixture, 'udara-1')).toBeUndefined();
    await fixture.take('neighbourhoods', [mean('udara-4', 25)]);
    expect(await opinion(fixture, 'udara-1')).toMatchObject({ flag: 3, count: 3 });
  });

  it('judge a device by the limits of its own, and leave out a test that is off', async () => {
    const limits = {
      version: 'test',
      parameters: { so2: { neighbours: false } },
      devices: {
        'udara-1': { pm25: { neighbours: { distance: 500 } }, no2: { neighbours: false } },
        'udara-2': { pm25: { neighbours: { radiusKm: 1 } } },
        'udara-5': { pm25: { neighbours: { radiusKm: 200 } } },
      },
    };
    await using fixture = await open({ limits });
    await fixture.take('neighbourhoods', [
      ...amongThree(200),
      mean('udara-5', 200),
      ...amongThree(400).map((each) => ({ ...each, parameter: 'no2' as const })),
    ]);
    expect(await opinion(fixture, 'udara-1')).toMatchObject({ flag: 1, count: 3 });
    expect(await opinion(fixture, 'udara-2')).toBeUndefined();
    // It looks further than the others, and they do not look as far as it.
    expect(await opinion(fixture, 'udara-5')).toMatchObject({ count: 4 });
    expect(await opinion(fixture, 'udara-3')).toMatchObject({ count: 3 });
    expect(await new LocalNeighbourQueries(fixture.state).opinions('udara-1', 'no2', [START])).toEqual([
      undefined,
    ]);
    expect(await new LocalNeighbourQueries(fixture.state).opinions('udara-3', 'no2', [START])).toMatchObject([
      { count: 3 },
    ]);

    const before = await fixture.journal.stats();
    const so2 = {
      ...pm25('udara-1', START, 5),
      readings: [{ parameter: 'so2', value: 5, flag: 1 } as const],
    };
    await fixture.take('readings', [so2, { ...so2, ts: START + HOUR }]);
    const entries = (stats: typeof before): number | undefined =>
      stats.find(({ stream }) => stream === 'neighbourhoods')?.entries;
    expect(entries(await fixture.journal.stats())).toBe(entries(before));
    expect((await fixture.journal.stats()).find(({ stream }) => stream === 'rollups')?.entries).toBe(1);
  });

  it('are sixteen at most, and include a device from the moment that it is registered', async () => {
    await using fixture = await open();
    await fixture.take('neighbourhoods', amongThree(200).slice(0, 3));
    expect(await opinion(fixture, 'udara-1')).toBeUndefined();
    for (let i = 10; i < 40; i++) {
      await fixture.registry.putDevice(device(`udara-${i}`, 'betung'));
      await fixture.take('neighbourhoods', [mean(`udara-${i}`, 30)]);
    }
    await fixture.take('neighbourhoods', [mean('udara-1', 200)]);
    expect(await opinion(fixture, 'udara-1')).toEqual({
      flag: 3,
      failed: ['neighbour'],
      count: 16,
      median: 30,
    });
  });

  it('say the same in whatever order the means came and however they were cut into batches', async () => {
    const devices = [...DEVICES, device('udara-7', 'betung'), device('udara-8', 'sembawa')];
    const arrival = fc.record({
      device: fc.constantFrom(...devices).map(({ id }) => id),
      parameter: fc.constantFrom<MeasuredParameter>('pm25', 'temperature'),
      hour: fc.constantFrom(START, START + HOUR),
      mean: fc.option(fc.constantFrom(5, 20, 22.5, 25, 90, 300), { freq: 5 }),
    });
    const arrivals = fc.array(arrival, { minLength: 1, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(
        arrivals.chain((means) =>
          fc.tuple(
            fc.constant(means),
            fc.shuffledSubarray(means, { minLength: means.length, maxLength: means.length }),
          ),
        ),
        fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 10 })),
        async ([means, shuffled], batches) => {
          const found: string[] = [];
          for (const [i, order] of [means, inOrderOfEach(means, shuffled)].entries()) {
            await using fixture = await open({ devices, maxBatch: batches[i]! });
            await fixture.take('neighbourhoods', order);
            found.push(await fixture.remembered());
          }
          expect(found[1]).toBe(found[0]);
          expect(found[0]).toBe(JSON.stringify(expected(means, devices)));
        },
      ),
      { numRuns: 20 },
    );
  });
});

const keyOf = ({ parameter, hour, device: id }: HourlyMean): string =>
  `${parameter}/${String(hour).padStart(15, '0')}/${id}`;

/** The shuffled means, with those of one device and hour in the order that the journal keeps. */
function inOrderOfEach(means: readonly HourlyMean[], shuffled: readonly HourlyMean[]): HourlyMean[] {
  const queues = new Map<string, HourlyMean[]>();
  for (const each of means) queues.set(keyOf(each), [...(queues.get(keyOf(each)) ?? []), each]);
  return shuffled.map((each) => queues.get(keyOf(each))!.shift()!);
}

/** What all last means at once lead to. */
function expected(means: readonly HourlyMean[], devices: readonly Device[]): unknown[] {
  const last = new Map(means.map((each) => [keyOf(each), each]));
  const placed = devices.map(({ id, site }) => {
    const { latitude, longitude } = SITES.find((each) => each.id === site)!;
    return { id, site, coordinates: latitude === undefined ? undefined : { latitude, longitude } };
  });
  const neighbours = nearestNeighbours(placed, 25);
  const judged = [...last.keys()].sort().flatMap((key) => {
    const own = last.get(key)!;
    if (own.mean === null) return [];
    const values = neighbours.get(own.device)!.flatMap(({ id, distanceKm }): NeighbourReading[] => {
      const value = last.get(keyOf({ ...own, device: id }))?.mean ?? null;
      return value === null ? [] : [{ value, distanceKm }];
    });
    const { flag, count, median } = neighbourConsensus(own.mean, values, own.parameter);
    return [{ key, value: [own.mean, flag, count, median] }];
  });
  const suspect = judged.filter(({ value }) => value[1] === 3);
  return [judged, suspect.map(({ key }) => ({ key, value: true }))];
}
