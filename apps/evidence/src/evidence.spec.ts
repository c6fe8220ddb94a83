import 'reflect-metadata';
import { Registry } from '#libs/identity';
import { dailyRollup, hourlyRollup } from '#libs/indicators';
import { standingOf } from '#libs/quality-control';
import { createStage } from '#libs/journal-transport';
import { lagOf, type Journal } from '#libs/journal';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { DAY, HOUR, localDateOf, localDaySpan, MINUTE, seededRandom, type UtcMillis } from '#libs/kernel';
import { type Observation, type Parameter, type QualityFlag, type Rollup } from '#libs/telemetry';
import { temporaryFolder, waitUntil, silentLogger } from '#libs/testing';
import fc from 'fast-check';
import { EvidenceModule } from './evidence.module.js';

const clock = { now: () => 1_000 };
const INTERVAL = 15 * MINUTE;
/** Midnight in Jakarta: the first hour of a day of the regency, in the middle of a UTC day. */
const MIDNIGHT = localDaySpan('2015-12-07')!.from;

interface Fixture extends AsyncDisposable {
  readonly journal: Journal;
  /** Appends, waits until the stage has read it and gives what it emitted since. */
  emitted(readings: readonly Observation[]): Promise<Rollup[]>;
  restart(): Promise<void>;
}

/** The evidence stage on a journal of its own. */
async function open(maxBatch = 2_000): Promise<Fixture> {
  const folder = temporaryFolder('evidence');
  const state = LmdbStateStore.open(folder.path);
  const journal = await LmdbJournal.open({ state, clock, shards: 1 });
  const registry = new Registry(state);
  for (const id of ['betung', 'sembawa']) await registry.putSite({ id, name: id });
  await registry.putDevice({
    id: 'udara-01',
    site: 'betung',
    kind: 'air',
    name: 'Udara',
    intervalMs: INTERVAL,
  });
  const start = async (): Promise<() => Promise<void>> => {
    const app = await createStage(EvidenceModule.register(10_000, registry), {
      stage: 'evidence',
      journal,
      state,
      clock,
      random: seededRandom(1),
      logger: silentLogger,
      maxBatch,
    });
    await app.listen();
    return () => app.close();
  };
  let close = await start();
  let seen = 0;
  return {
    journal,
    async emitted(readings) {
      await journal.append(
        'readings',
        readings.map((data) => ({ key: data.device, data })),
      );
      await waitUntil(
        'the stage caught up',
        async () => (await lagOf(journal, 'evidence', 'readings')) === 0,
      );
      const entries = await journal.read('rollups', 0, seen, 100_000);
      seen += entries.length;
      return entries.map(({ data }) => data);
    },
    async restart() {
      await close();
      close = await start();
    },
    async [Symbol.asyncDispose]() {
      await close();
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}

function reading(
  ts: UtcMillis,
  value: number,
  flag: QualityFlag = 1,
  site = 'betung',
  parameter: Parameter = 'pm25',
): Observation {
  // A suspect value of a wrong clock does not count.
  const readings = [{ parameter, value, flag, ...(flag === 3 ? { failed: ['clock'] } : {}) }];
  return { site, device: 'udara-01', ts, receivedAt: ts, uplink: { shard: 0, offset: 0 }, readings };
}

/** The four readings of an hour, all with its number as the value. */
function wholeHour(n: number): Observation[] {
  return [0, 1, 2, 3].map((i) => reading(MIDNIGHT + n * HOUR + i * INTERVAL, n));
}

const hour = (n: number, overrides: Partial<Rollup> = {}): Rollup => ({
  site: 'betung',
  device: 'udara-01',
  parameter: 'pm25',
  tier: 'hour',
  from: MIDNIGHT + n * HOUR,
  to: MIDNIGHT + (n + 1) * HOUR,
  expected: 4,
  received: 4,
  valid: 4,
  mean: n,
  min: n,
  max: n,
  ...without({ valid: 4, mean: n, ...overrides }),
  ...overrides,
});

/** What stands beside a figure when nothing is unusual, of an hour. */
function without({ valid, mean }: Pick<Rollup, 'valid' | 'mean'>): Partial<Rollup> {
  const unusual = { unusual: 0, unusualShare: valid === 0 ? null : 0 };
  return { ...unusual, covered: valid / 4, validWithoutUnusual: valid, meanWithoutUnusual: mean };
}

describe('the roll-ups of the evidence stage', () => {
  it('come when an hour is over, once, and not for the open one', async () => {
    await using fixture = await open();
    expect(await fixture.emitted(wholeHour(0))).toEqual([]);
    expect(await fixture.emitted(wholeHour(1))).toEqual([hour(0)]);
    await fixture.restart();
    // Hours without a reading have none.
    expect(await fixture.emitted(wholeHour(4))).toEqual([hour(1)]);
    expect(await fixture.emitted(wholeHour(4))).toEqual([]);
  });

  it('come again when a late reading or a changed flag changes an hour that is over, and only then', async () => {
    await using fixture = await open();
    await fixture.emitted([...wholeHour(0).slice(1), ...wholeHour(1)]);
    const { ts } = wholeHour(0)[0]!;
    expect(await fixture.emitted([reading(ts, 8)])).toEqual([hour(0, { mean: 2, max: 8 })]);
    expect(await fixture.emitted([reading(ts, 8), wholeHour(0)[1]!])).toEqual([]);
    expect(await fixture.emitted([reading(ts, 8, 4)])).toEqual([hour(0, { valid: 3 })]);
    const flagged = wholeHour(0).map((observation) => reading(observation.ts, 0, 3));
    expect(await fixture.emitted(flagged)).toEqual([hour(0, { valid: 0, mean: null, min: null, max: null })]);
  });

  it('sum up a calendar day of the regency from its hours when it is over, and again when one of them changes', async () => {
    await using fixture = await open();
    const hours = Array.from({ length: 24 }, (_, n) => n).filter((n) => n !== 5);
    const day: Rollup = {
      ...hour(0),
      tier: 'day',
      to: MIDNIGHT + DAY,
      expected: 24,
      received: 23,
      valid: 23,
      mean: hours.reduce((sum, n) => sum + n, 0) / 23,
      min: 0,
      max: 23,
      covered: 23 / 24,
      validWithoutUnusual: 23,
      meanWithoutUnusual: hours.reduce((sum, n) => sum + n, 0) / 23,
    };
    const complete = { valid: 24, mean: 276 / 24, validWithoutUnusual: 24, meanWithoutUnusual: 276 / 24 };
    const whole = await fixture.emitted(hours.flatMap(wholeHour));
    expect(whole).toEqual(hours.slice(0, -1).map((n) => hour(n)));
    expect(await fixture.emitted(wholeHour(24))).toEqual([hour(23), day]);
    await fixture.restart();
    expect(await fixture.emitted(wholeHour(5))).toEqual([
      hour(5),
      { ...day, received: 24, covered: 1, ...complete },
    ]);
    // An hour of which too little passed is received and not valid.
    expect(
      await fixture.emitted(
        wholeHour(5)
          .slice(0, 2)
          .map(({ ts }) => reading(ts, 5, 4)),
      ),
    ).toEqual([hour(5, { valid: 2 }), { ...day, received: 24, covered: 23.5 / 24 }]);
  });

  it('stay under the site where the hour began, so that a correction replaces them', async () => {
    await using fixture = await open();
    await fixture.emitted([reading(MIDNIGHT, 1), reading(MIDNIGHT + INTERVAL, 3, 1, 'sembawa')]);
    const [first] = await fixture.emitted([reading(MIDNIGHT + HOUR, 1, 1, 'sembawa')]);
    expect(first).toMatchObject({ site: 'betung', mean: 2 });
    const late = await fixture.emitted([reading(MIDNIGHT + 2 * INTERVAL, 5, 1, 'sembawa')]);
    expect(late).toMatchObject([{ site: 'betung', mean: 3 }]);
    expect(await fixture.emitted([reading(MIDNIGHT + 2 * HOUR, 1)])).toMatchObject([{ site: 'sembawa' }]);
  });

  it('end up the same however readings are ordered, repeated and cut into batches', async () => {
    const sample = fc.record({
      // A few days around the present one, so that hours and days close in every order.
      step: fc.nat({ max: (3 * DAY) / INTERVAL }),
      // The journal does not tell -0 from 0.
      value: fc.double({ min: -100, max: 1_000, noNaN: true }).map((value) => value + 0),
      flag: fc.constantFrom<QualityFlag>(1, 1, 1, 3, 4),
      parameter: fc.constantFrom(...PARAMETERS),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(sample, { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 50 }),
        async (samples, size) => {
          await using fixture = await open(size);
          const readings = samples.map(({ step, value, flag, parameter }) =>
            reading(MIDNIGHT + step * INTERVAL, value, flag, 'betung', parameter),
          );
          const emitted = await fixture.emitted(readings);
          for (const parameter of PARAMETERS) {
            const last = new Map<string, Rollup>();
            for (const rollup of emitted)
              if (rollup.parameter === parameter) last.set(`${rollup.tier} ${rollup.from}`, rollup);
            expect(last).toEqual(expected(readings, parameter));
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

const PARAMETERS = ['pm25', 'pm10'] as const;

/** Of all readings at once, what stands at the end of a parameter. */
function expected(readings: readonly Observation[], parameter: Parameter): Map<string, Rollup> {
  const ofParameter = readings.filter(({ readings: [only] }) => only!.parameter === parameter);
  const byTime = new Map(ofParameter.map((observation) => [observation.ts, observation]));
  const samples = Array.from(byTime.values(), ({ ts, readings: [only] }) => ({
    ts,
    ...only!,
    standing: standingOf(only!),
    shard: 0,
    offset: 0,
  }));
  const open = Math.floor(Math.max(...byTime.keys()) / HOUR) * HOUR;
  const found = new Map<string, Rollup>();
  const days = new Map<string, ReturnType<typeof hourlyRollup>[]>();
  for (let from = MIDNIGHT; from < open; from += HOUR) {
    const inHour = samples.filter(({ ts }) => ts >= from && ts < from + HOUR);
    if (inHour.length === 0) continue;
    const rollup = hourlyRollup(from, inHour, [{ from: 0, intervalMs: INTERVAL }]);
    const { received, valid, mean, min, max, unusual, covered, unusualShare, withoutUnusual } = rollup;
    found.set(
      `hour ${from}`,
      hour((from - MIDNIGHT) / HOUR, {
        ...{ parameter, received, valid, mean, min, max, unusual, covered, unusualShare },
        ...{ validWithoutUnusual: valid - unusual, meanWithoutUnusual: withoutUnusual.mean },
      }),
    );
    days.set(localDateOf(from), [...(days.get(localDateOf(from)) ?? []), rollup]);
  }
  for (const [date, hours] of days) {
    const span = localDaySpan(date)!;
    if (span.to > open) continue;
    const { withoutUnusual, ...day } = dailyRollup(hours);
    const later = { validWithoutUnusual: withoutUnusual.valid, meanWithoutUnusual: withoutUnusual.mean };
    found.set(`day ${span.from}`, { ...hour(0), parameter, tier: 'day', ...span, ...day, ...later });
  }
  return found;
}
