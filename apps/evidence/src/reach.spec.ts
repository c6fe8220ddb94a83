import { addRow, bucketKey, BucketSource, JournalSource } from '#libs/evidence';
import { JournalSettings } from '#libs/identity';
import { HOUR, MINUTE, seededRandom, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { HeartbeatState, Observation, Parameter, Signal } from '#libs/telemetry';
import { namespaceOf } from '#libs/testing';
import { AIR, from, withAir, type Fixture } from './settings.fixture.js';

const QUARTER = 15 * MINUTE;

const measured = (ts: UtcMillis, parameters: readonly Parameter[], offset = 0): Observation => ({
  ...{ site: 'betung', device: AIR.id, ts, receivedAt: ts, uplink: { shard: 0, offset } },
  readings: parameters.map((parameter) => ({ parameter, value: 1, flag: 1 })),
});
const heartbeat = (ts: UtcMillis): Signal => ({
  ...{ type: 'heartbeat', site: 'betung', device: AIR.id, ts, receivedAt: ts },
  ...{ state: 'up' as HeartbeatState, uplink: { shard: 0, offset: 0 } },
});

/** What a question reads. */
async function rowsOf(fixture: Fixture, ask: (source: BucketSource) => Promise<unknown>): Promise<number> {
  let rows = 0;
  const state = new Proxy<StateStore>(fixture.state, {
    get: (target, name) => async (options: unknown, more: unknown) => {
      const found = await (target[name as 'list'] as (...args: unknown[]) => Promise<unknown>).call(
        target,
        options,
        more,
      );
      rows += Array.isArray(found) ? found.length : 1;
      return found;
    },
  });
  await ask(new BucketSource(state));
  return rows;
}

/** A device that measured `pm25` for so many quarters of an hour, `pm10` since the last one, and `no2` in the first alone. */
async function costs(quarters: number): Promise<Record<string, number>> {
  await using fixture = await withAir();
  fixture.now = from + quarters * QUARTER;
  const entries = Array.from({ length: quarters }, (_, i) =>
    measured(
      from + i * QUARTER,
      i === 0 ? ['pm25', 'no2'] : i === quarters - 1 ? ['pm25', 'pm10'] : ['pm25'],
    ),
  );
  await fixture.append('readings', AIR.id, entries);
  const source = new BucketSource(fixture.state);
  const last = from + (quarters - 1) * QUARTER;
  expect([await source.reach(AIR.id, 'pm25'), await source.reach(AIR.id, 'pm10')]).toEqual([
    { from, to: last },
    { from: last, to: last },
  ]);
  const cost: Record<string, number> = {};
  for (const series of ['pm25', 'pm10', 'no2', 'so2', 'heartbeat'] as const)
    cost[series] = await rowsOf(fixture, (asked) => asked.reach(AIR.id, series));
  return cost;
}

describe('the first and the last instant of a series', () => {
  it('cost the same however much else the device measured, also of a series that it never sent', async () => {
    const [few, many] = [await costs(50), await costs(1_000)];
    expect(many).toEqual(few);
    expect(Math.max(...Object.values(many))).toBeLessThan(5);
  });

  it('are those of the journal, in whatever order and batches the messages came', async () => {
    for (const seed of [1, 2, 3, 4]) {
      await using fixture = await withAir();
      const random = seededRandom(seed);
      const whole = (below: number): number => Math.floor(random() * below);
      const at = (): UtcMillis => from + whole(40) * QUARTER + whole(QUARTER);
      for (let batch = 0; batch < 12; batch++) {
        const parameters: Parameter[] = whole(4) === 0 ? ['pm10'] : ['pm25', 'temperature'];
        if (whole(3) === 0) await fixture.append('signals', AIR.id, [heartbeat(at()), heartbeat(at())]);
        await fixture.append(
          'readings',
          AIR.id,
          Array.from({ length: 1 + whole(4) }, () => measured(at(), parameters)),
        );
      }
      const settings = new JournalSettings(fixture.journal);
      const journal = new JournalSource(fixture.journal, MINUTE, settings);
      const kept = new BucketSource(fixture.state);
      for (const series of ['pm25', 'pm10', 'temperature', 'so2', 'heartbeat'] as const)
        expect([seed, series, await kept.reach(AIR.id, series)]).toEqual([
          ...[seed, series, await journal.reach(AIR.id, series)],
        ]);
    }
  });

  it('are searched for of a device whose first messages are older than what is kept of it', async () => {
    await using fixture = await withAir();
    const old: number[] = [];
    addRow(old, from, 0, 0, [{ parameter: 'so2', value: 1, flag: 1 }]);
    await fixture.state.write([namespaceOf('evidence/device-hours').put(bucketKey(AIR.id, from), old)]);
    await fixture.append('readings', AIR.id, [measured(from + HOUR, ['pm25'])]);
    const source = new BucketSource(fixture.state);
    expect(await source.reach(AIR.id, 'so2')).toEqual({ from, to: from });
    expect(await source.reach(AIR.id, 'pm25')).toEqual({ from: from + HOUR, to: from + HOUR });
    expect(await source.reach(AIR.id, 'pm10')).toBeUndefined();
  });
});
