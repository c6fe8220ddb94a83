/**
 * The whole pipeline: every message durable before its PUBACK, decoded, quality-tested, stored in a real `influxd`, with
 * rules and roll-ups on. Printed as ratios within one run, the load generator on the same machine:
 *
 * - readings per second until the last one is stored and every stage has caught up, beside the messages per second that
 *   Mosquitto alone acknowledges at QoS 1: of 10 low-cost sensors, and of 10 stations that measure what ISPU is made of;
 * - processor time per message at 10 low-cost sensors and at 10,000: as many messages as go through, and at a steady rate that
 *   leaves the machine time to spare;
 * - with `--soak minutes`: memory of the process over that time.
 *
 * usage: npm run bench:ingest [-- messages rounds] [-- --soak minutes]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  bench,
  built,
  caughtUp,
  finished,
  kill,
  load,
  median,
  prepareInflux,
  shown,
  start,
  startMosquitto,
  startPantau,
} from './bench.mjs';
import { memoryOf, processorSeconds } from './processes.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { soak: { type: 'string' } },
});
const [messages = 200_000, rounds = 3] = positionals.map(Number);
const soakMinutes = Number(values.soak ?? 0);
const { InfluxStore } = await built('libs/engine-influx');

/** What a message states. How many readings it brings decides how many readings a second there are, so both kinds are shown. */
const SENSOR = { name: 'low-cost sensor', parameters: ['pm25', 'pm10', 'temperature', 'humidity'] };
const STATION = {
  name: 'ISPU station',
  parameters: ['pm25', 'pm10', 'so2', 'no2', 'co', 'o3', 'hc', 'temperature', 'humidity'],
};
const GATEWAYS = 10;
/** A message every two seconds of 10,000 devices, so far more than such devices send. */
const STEADY_PER_SECOND = 5_000;
const MINUTE = 60_000;
const RULES = `rules:
  - { id: pm25, title: { id: 'PM2,5 tinggi', en: PM2.5 high }, parameter: pm25, raise: 100, clear: 80, for: 10m, severity: critical }
  - { id: pm10, title: { id: PM10 tinggi, en: PM10 high }, parameter: pm10, raise: 150, clear: 120, for: 10m, severity: warning }
`;

await bench(async (folder) => {
  const { port: mosquitto } = await startMosquitto(folder);
  if (soakMinutes > 0) {
    await soak(join(folder, 'soak'));
    return;
  }
  console.log(
    `${shown(messages)} messages from ${GATEWAYS} gateways, 40 in flight each, ${rounds} rounds; ` +
      [SENSOR, STATION].map(({ name, parameters }) => `${name}: ${parameters.length} values`).join(', '),
  );
  const ratios = { [SENSOR.name]: [], [STATION.name]: [] };
  const costs = { 10: [], 10_000: [] };
  const steadyCosts = { 10: [], 10_000: [] };
  for (let round = 1; round <= rounds; round++) {
    const runs = [
      { kind: SENSOR, count: 10 },
      { kind: STATION, count: 10 },
      { kind: SENSOR, count: 10_000 },
    ];
    for (const { kind, count } of round % 2 === 1 ? runs : runs.toReversed()) {
      const plain = await runLoad(folder, mosquitto, connectionsOf(10), kind, () => undefined);
      await withPipeline(
        join(folder, `round-${round}-${kind.name}-${count}`),
        count,
        kind,
        async (pipeline) => {
          // First some messages that do not count, of each device: what a series costs once, and code until it is
          // compiled, is not what a message costs.
          await pipeline.run(Math.max(count, messages / 2));
          // At least an hour of every device: what the end of an hour costs is part of what a message costs.
          const wanted = Math.max(messages, 60 * count);
          const { readingsPerSecond, acknowledgedPerSecond, cost, ofDatabase } = await pipeline.run(wanted);
          const ratio = readingsPerSecond / plain.rate;
          if (count === 10) ratios[kind.name].push(ratio);
          console.log(
            `  round ${round}, ${shown(count).padStart(6)} x ${kind.name}: Mosquitto alone acknowledges ${shown(plain.rate)} messages/s; ` +
              `Pantau ${shown(acknowledgedPerSecond)}, and ${shown(readingsPerSecond)} readings/s until all was stored: ${ratio.toFixed(2)}; ` +
              `${(cost * 1e6).toFixed(0)} us of processor per message, ${(ofDatabase * 1e6).toFixed(0)} of them influxd's`,
          );
          if (kind !== SENSOR) return;
          costs[count].push(cost);
          const steady = await pipeline.run(Math.max(messages / 2, 60 * count), STEADY_PER_SECOND);
          steadyCosts[count].push(steady.cost);
          console.log(
            `    at ${shown(steady.acknowledgedPerSecond)} messages/s: ${(steady.cost * 1e6).toFixed(0)} us of processor per message, ` +
              `${(steady.ofDatabase * 1e6).toFixed(0)} of them influxd's`,
          );
        },
      );
    }
  }
  for (const [name, all] of Object.entries(ratios))
    console.log(
      `median ratio readings/s of Pantau / messages/s of Mosquitto, 10 x ${name}: ${median(all).toFixed(2)}`,
    );
  for (const [load, of] of [
    ['as fast as they go', costs],
    [`at ${shown(STEADY_PER_SECOND)} messages/s`, steadyCosts],
  ])
    console.log(
      `median cost per message at 10,000 devices / at 10, ${load}: ${(median(of[10_000]) / median(of[10])).toFixed(2)}`,
    );
});

/** Memory over time, under rounds of load with a pause until every stage has caught up. */
async function soak(folder) {
  await withPipeline(folder, 1_000, SENSOR, async (pipeline) => {
    const until = performance.now() + soakMinutes * MINUTE;
    const samples = [];
    let sent = 0;
    let shownAt = performance.now();
    while (performance.now() < until) {
      await pipeline.run(messages / 10);
      sent += messages / 10;
      samples.push(pipeline.memory());
      if (performance.now() - shownAt < MINUTE) continue;
      shownAt = performance.now();
      console.log(`  ${shown(sent)} messages, ${shown(samples.at(-1) / 1e6)} MB of memory`);
    }
    // The first third is warming up: code is compiled, caches fill.
    const third = Math.floor(samples.length / 3);
    const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)].map(median);
    console.log(
      `${soakMinutes} minutes, ${shown(sent)} messages: memory of the last third / of the middle third: ` +
        `${(last / middle).toFixed(2)} (${shown(last / 1e6)} MB, ${shown(middle / 1e6)} MB)`,
    );
  });
}

/** Pantau on a store of its own, with that many devices behind the gateways. */
async function withPipeline(folder, count, kind, use) {
  mkdirSync(folder);
  const influx = await prepareInflux(folder);
  await influx.start();
  const store = new InfluxStore({ url: influx.url, version: 1, database: 'bench', timeoutMs: 60_000 });
  const connections = connectionsOf(count);
  const devices = connections.flatMap(({ clientId, devices }) => [
    ...devices.map((id) => ({ id })),
    { id: clientId, speaksFor: devices },
  ]);
  const pantau = await startPantau(folder, {
    devices,
    rules: RULES,
    config: { store: { engine: 'influxdb', version: 1, url: influx.url, database: 'bench' } },
    mqtt: { limits: { messagesPerDevice: { perSecond: 1_000_000, burst: 1_000_000 } } },
  });
  const values = kind.parameters.length;
  let sent = 0;
  const perDevice = () => Math.ceil(sent / count);
  // As far back as a device may report by default, less a day.
  const firstTs = Math.floor((Date.now() - 29 * 24 * 60 * MINUTE) / MINUTE) * MINUTE;
  try {
    await use({
      memory: () => memoryOf(pantau.child.pid).anonymous,
      async run(wanted, perSecond) {
        const processes = [pantau.child.pid, influx.pid()];
        const before = processes.map(processorSeconds);
        const from = performance.now();
        const report = await runLoad(
          folder,
          pantau.mqttPort,
          connections,
          kind,
          (id) => pantau.tokens[id],
          wanted,
          firstTs + perDevice() * MINUTE,
          perSecond,
        );
        await caughtUp(pantau.metricsPort);
        // Of the load generator only the time in which it sends counts, not its start.
        const seconds = (performance.now() - from) / 1_000 - report.startSeconds;
        const [own, database] = processes.map(
          (pid, i) => (processorSeconds(pid) - before[i]) / report.acknowledged,
        );
        sent += report.acknowledged;
        const stored = await store.count({});
        if (stored !== sent * values)
          throw new Error(`${sent * values} readings were acknowledged, ${stored} are stored`);
        return {
          acknowledgedPerSecond: report.rate,
          readingsPerSecond: (report.acknowledged * values) / seconds,
          cost: own + database,
          ofDatabase: database,
        };
      },
    });
  } finally {
    await store.close();
    await kill(pantau.child);
    await influx.kill();
  }
}

function connectionsOf(count) {
  const share = count / GATEWAYS;
  return Array.from({ length: GATEWAYS }, (_, gateway) => {
    const devices = Array.from(
      { length: share },
      (_, i) => `bench-${String(gateway * share + i).padStart(5, '0')}`,
    );
    return {
      clientId: `gateway-${gateway}`,
      devices,
      topics: devices.map((id) => `pantau/v1/bench/${id}/telemetry`),
    };
  });
}

async function runLoad(
  folder,
  port,
  connections,
  { parameters },
  password,
  wanted = messages,
  firstTs = Date.UTC(2026, 0, 1),
  perSecond = undefined,
) {
  const options = join(folder, 'load.json');
  writeFileSync(
    options,
    JSON.stringify({
      host: '127.0.0.1',
      port,
      connections: connections.map(({ clientId, topics }) => ({
        clientId,
        topics,
        password: password(clientId),
      })),
      parameters,
      pace: perSecond === undefined ? { inFlight: 40 } : { perSecond },
      messages: wanted,
      firstTs,
    }),
  );
  const startedAt = performance.now();
  const report = JSON.parse(await finished(start(process.execPath, [load, options])));
  return { ...report, startSeconds: (performance.now() - startedAt) / 1_000 - report.seconds };
}
