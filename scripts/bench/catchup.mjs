/**
 * How fast the writer catches up when InfluxDB comes back, beside the rate at which readings go on coming in meanwhile. A
 * real `influxd` is killed under load, stays away, and is started again; at the end every reading must be stored once.
 * The figure is the ratio: at 1 it would never catch up.
 *
 * usage: npm run bench:catchup [-- readings-per-second seconds-away]
 */
import 'reflect-metadata';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bench, built, prepareInflux, shown } from './bench.mjs';

const [
  { LmdbStateStore, LmdbJournal },
  { Registry },
  { createStage, lagOf },
  { InfluxStore },
  { WriterModule },
] = await Promise.all(
  ['libs/engine-lmdb', 'libs/identity', 'libs/journal-transport', 'libs/engine-influx', 'apps/writer'].map(
    built,
  ),
);
const [rate = 10_000, secondsAway = 60] = process.argv.slice(2).map(Number);

const DEVICES = Array.from({ length: 100 }, (_, i) => `bench-${String(i).padStart(4, '0')}`);
const PARAMETERS = ['pm25', 'pm10', 'temperature', 'humidity'];
const SECONDS_BEFORE = 5;
const TICK_MS = 100;
const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
const clock = { now: Date.now };

let appended = 0;
let complete = false;
await bench(async (folder) => {
  const influx = await prepareInflux(folder);
  try {
    await measure(folder, influx);
  } finally {
    await influx.kill();
  }
});
process.exitCode = complete ? 0 : 1;

async function measure(folder, influx) {
  await influx.start();
  const store = new InfluxStore({ url: influx.url, version: 1, database: 'bench', timeoutMs: 10_000 });
  await store.setUp();
  const state = LmdbStateStore.open(join(folder, 'journal'));
  const journal = await LmdbJournal.open({ state, clock });
  const registry = new Registry(state);
  await registry.putSite({ id: 'bench', name: 'bench' });
  for (const id of DEVICES)
    await registry.putDevice({ id, site: 'bench', kind: 'air', name: id, intervalMs: 1_000 });
  const stage = await createStage(WriterModule.register(store, registry, clock), {
    stage: 'writer',
    journal,
    state,
    clock,
    random: Math.random,
    logger: silent,
  });
  await stage.listen();
  const lag = async () => (await lagOf(journal, 'writer', 'readings')) * PARAMETERS.length;

  const stop = new AbortController();
  const loading = generate(journal, stop.signal);
  await delay(SECONDS_BEFORE * 1_000);
  console.log(`live: ${shown(rate)} readings/s wanted, ${await lag()} waiting`);
  await influx.kill();
  await delay(secondsAway * 1_000);
  const backlog = await lag();
  console.log(`InfluxDB was away for ${secondsAway} s: ${shown(backlog)} readings wait in the journal`);
  await influx.start();

  const [from, storedBefore, appendedBefore] = [performance.now(), appended - (await lag()), appended];
  // The shards of the writer sit out their pauses one by one, at most 30 s, so there are two rates: over all of the time,
  // and of the best second, when most of them were at work.
  const seen = [{ at: from, stored: storedBefore }];
  let best = 0;
  for (;;) {
    await delay(20);
    const waiting = await lag();
    const now = { at: performance.now(), stored: appended - waiting };
    seen.push(now);
    while (now.at - seen[0].at > 1_000) seen.shift();
    if (now.at - seen[0].at > 900) best = Math.max(best, rateBetween(seen[0], now));
    if (waiting > rate / 5) continue;
    const overall = rateBetween({ at: from, stored: storedBefore }, now);
    const seconds = (now.at - from) / 1_000;
    const live = (appended - appendedBefore) / seconds;
    console.log(
      `caught up ${seconds.toFixed(1)} s after InfluxDB's start, while ${shown(live)} readings/s came in`,
    );
    console.log(
      `catch-up over all, pauses included: ${shown(overall)} readings/s, ratio to live ${(overall / live).toFixed(1)}`,
    );
    console.log(
      `catch-up in the best second:        ${shown(best)} readings/s, ratio to live ${(best / live).toFixed(1)}`,
    );
    break;
  }
  stop.abort();
  await loading;
  while ((await lag()) > 0) await delay(20);
  const stored = await store.count({});
  complete = stored === appended;
  console.log(
    `appended ${appended}, stored ${stored}: ${complete ? 'equal' : 'NOT EQUAL'}; lag ${await lag()}`,
  );
  await stage.close();
  await store.close();
  await journal.close();
  await state.close();
}

function rateBetween(a, b) {
  return ((b.stored - a.stored) * 1_000) / (b.at - a.at);
}

/** Appends readings at the wanted rate, every one with a time of its own in its series. */
async function generate(journal, signal) {
  const startedAt = performance.now();
  const firstTs = Date.now();
  for (let n = 0; !signal.aborted;) {
    const due = ((performance.now() - startedAt) / 1_000) * (rate / PARAMETERS.length);
    const entries = [];
    for (; n < due; n++) {
      const device = DEVICES[n % DEVICES.length];
      const ts = firstTs + Math.floor(n / DEVICES.length);
      const readings = PARAMETERS.map((parameter) => ({ parameter, value: n % 500, flag: 1 }));
      const data = { site: 'bench', device, ts, receivedAt: ts, uplink: { shard: 0, offset: n }, readings };
      entries.push({ key: device, data });
    }
    await journal.append('readings', entries);
    appended += entries.length * PARAMETERS.length;
    await delay(TICK_MS);
  }
}
