/**
 * What Pantau costs at the pace of a real installation, beside what it replaces, in the same run: Mosquitto, a script of MQTT.js and the
 * official InfluxDB client with its defaults, and the same `influxd`. Of each pace and number of devices:
 *
 * - processor time as a share of one core, of the programs and of `influxd`; Pantau's by thread;
 * - commits a second by LMDB environment, wake-ups a second, memory (resident, and of it anonymous);
 * - from publishing to PUBACK, to the alert at a reader of the API, and to queryable in InfluxDB.
 *
 * First both with nobody connected. The script does less (no durable PUBACK, no tests, no roll-ups, no alerts, no evidence), so the ratio says
 * what those cost.
 *
 * usage: npm run bench:steady [-- seconds] [-- --runs 10x10,100x10,1000x10,1000x1000]   (messages a second x devices)
 */
import { connectAsync } from 'mqtt';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  answer,
  bench,
  built,
  finished,
  kill,
  load,
  prepareInflux,
  quantile,
  start,
  startClients,
  startMosquitto,
  startPantau,
} from './bench.mjs';
import { memoryOf, processorSeconds, wakeUpsOf } from './processes.mjs';

const { LmdbEnvironment } = await built('libs/engine-lmdb');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '10x10,100x10,1000x10,1000x1000' } },
});
const [seconds = 20] = positionals.map(Number);
const RUNS = values.runs.split(',').map((run) => run.split('x').map(Number));

/** Before anything counts: connections are opened, code is compiled. */
const WARM_UP_SECONDS = 10;
const PROBES = 30;
const PROBE = 'probe';
const PROBE_EVERY_MS = 250;
const PROBE_SECONDS = 10;
/** Between two looks for what was published. */
const LOOK_MS = 10;
const PATIENCE_MS = 70_000;
const TELEMETRY = (device) => `pantau/v1/bench/${device}/telemetry`;
const RULES = `rules:
  - { id: probe, title: { id: 'Uji', en: Probe }, parameter: pm25, raise: 50, clear: 45, for: 0s, severity: warning }
`;

await bench(async (folder) => {
  console.log(
    `${seconds} s of each run after ${WARM_UP_SECONDS} s of warming up, ${PROBES} probes of the delays`,
  );
  for (const [perSecond, count] of [[0, 0], ...RUNS]) {
    console.log(perSecond === 0 ? '\nnobody connected' : `\n${perSecond} messages/s of ${count} devices`);
    const costs = [];
    for (const target of [scriptTarget, pantauTarget]) {
      const place = join(folder, `${target.name}-${perSecond}-${count}`);
      mkdirSync(place);
      costs.push(await measure(place, target, { perSecond, count }));
    }
    if (perSecond === 0) continue;
    console.log(
      `  processor time of Pantau / of the script, influxd included: ${(costs[1] / costs[0]).toFixed(1)}`,
    );
  }
});

/** @returns its processor time as a share of a core, `influxd` included */
async function measure(folder, target, { perSecond, count }) {
  const devices = Array.from({ length: count }, (_, i) => `bench-${String(i).padStart(5, '0')}`);
  const stepMs = perSecond === 0 ? 1_000 : (1_000 * count) / perSecond;
  const influx = await prepareInflux(folder);
  await influx.start();
  const database = 'bench';
  await ask(influx.url, `CREATE DATABASE ${database}`);
  const system = await target(folder, { devices, stepMs, influxUrl: influx.url, database });
  try {
    const loaded =
      perSecond === 0
        ? undefined
        : runLoad(folder, system, devices, {
            perSecond,
            stepMs,
            messages: perSecond * (WARM_UP_SECONDS + seconds + PROBE_SECONDS),
          });
    await Promise.race([delay(WARM_UP_SECONDS * 1_000), ...(loaded ? [loaded] : [])]);
    const before = await sample(system, influx);
    await delay(seconds * 1_000);
    const after = await sample(system, influx);
    const spent = (name) => (after[name] - before[name]) / ((after.at - before.at) / 1_000);
    console.log(
      `  ${system.name}: ${percent(spent('own'))} of a core and influxd ${percent(spent('influxd'))}; ${spent('wakeUps').toFixed(0)} wake-ups/s; ` +
        `${megabytes(after.resident)} resident, ${megabytes(after.anonymous)} anonymous`,
    );
    for (const [kind, of] of [
      ['threads', percent],
      ['commits/s', (rate) => rate.toFixed(1)],
    ]) {
      const names = Object.keys(after[kind]).filter((name) => name in before[kind]);
      const rate = (name) => (after[kind][name] - before[kind][name]) / ((after.at - before.at) / 1_000);
      if (names.length > 0)
        console.log(`    ${kind}: ${names.map((name) => `${name} ${of(rate(name))}`).join(', ')}`);
    }
    if (loaded !== undefined) {
      const [{ ackLatencyMs }] = await Promise.all([loaded, probe(system, influx.url, database)]);
      const { p50, p99 } = ackLatencyMs;
      console.log(`    to PUBACK: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
    }
    return spent('own') + spent('influxd');
  } finally {
    await system.close();
    await influx.kill();
  }
}

async function sample(system, influx) {
  const memory = system.pids.map(memoryOf);
  const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);
  return {
    at: performance.now(),
    own: sum(system.pids.map(processorSeconds)),
    influxd: processorSeconds(influx.pid()),
    wakeUps: sum(system.pids.map(wakeUpsOf)),
    resident: sum(memory.map(({ resident }) => resident)),
    anonymous: sum(memory.map(({ anonymous }) => anonymous)),
    threads: await system.threads(),
    'commits/s': system.commits(),
  };
}

async function runLoad(folder, system, devices, { perSecond, stepMs, messages }) {
  const options = join(folder, 'load.json');
  const connections = devices.map((id) => ({
    ...{ clientId: id, topics: [TELEMETRY(id)], password: system.password(id) },
  }));
  const common = { host: '127.0.0.1', port: system.port, firstTs: Date.now(), stepMs };
  writeFileSync(options, JSON.stringify({ ...common, connections, pace: { perSecond }, messages }));
  return JSON.parse(await finished(start(process.execPath, [load, options])));
}

/**
 * Delays of single messages among the others, high and low in turn, so that each raises an alert or ends it. The script's client keeps what
 * it has for up to a minute when little comes in, so it is waited for as long.
 */
async function probe(system, influxUrl, database) {
  const client = await connectAsync({
    ...{ host: '127.0.0.1', port: system.port, clientId: PROBE },
    ...{ username: PROBE, password: system.password(PROBE) },
  });
  const delays = { alert: [], queryable: [] };
  const sentAt = new Map();
  // Each probe is answered by one event, in order.
  const alerts = await system.alerts(() =>
    delays.alert.push(performance.now() - [...sentAt.values()][delays.alert.length]),
  );
  const firstTs = Date.now();
  const publishing = (async () => {
    for (let i = 0; i < PROBES; i++) {
      // Not in step with what rests for a time.
      await delay(PROBE_EVERY_MS * (0.5 + Math.random()));
      const ts = Date.now();
      sentAt.set(ts, performance.now());
      const values = { pm25: i % 2 === 0 ? 52 + i / 10 : 40 + i / 10 };
      await client.publishAsync(TELEMETRY(PROBE), JSON.stringify({ ts, values }), { qos: 1 });
    }
  })();
  const seen = new Set();
  for (const until = performance.now() + PATIENCE_MS; seen.size < PROBES && performance.now() < until;) {
    const { results } = await ask(
      influxUrl,
      `SELECT pm25 FROM reading WHERE device='${PROBE}' AND time >= ${firstTs}ms`,
      database,
    );
    for (const [ts] of results[0].series?.[0].values ?? []) {
      if (seen.has(ts)) continue;
      seen.add(ts);
      delays.queryable.push(performance.now() - sentAt.get(ts));
    }
    await delay(LOOK_MS);
  }
  await publishing;
  alerts?.close();
  await client.endAsync();
  for (const [name, all] of Object.entries(delays))
    if (all.length > 0)
      console.log(
        `    to ${name}: p50 ${quantile(all, 0.5).toFixed(0)} ms, largest of ${all.length} ${Math.max(...all).toFixed(0)} ms`,
      );
}

async function scriptTarget(folder, { influxUrl, database }) {
  const { port, pid } = await startMosquitto(folder);
  const script = startClients('steady-peer.mjs', { mqttPort: port, influxUrl, database });
  await answer(script);
  return {
    ...{ name: 'Mosquitto and the script', port, pids: [pid, script.pid] },
    ...{
      password: () => undefined,
      threads: async () => ({}),
      commits: () => ({}),
      alerts: async () => undefined,
    },
    close: async () => {
      await kill(script);
      process.kill(pid, 'SIGKILL');
    },
  };
}

async function pantauTarget(folder, { devices, stepMs, influxUrl, database }) {
  const pantau = await startPantau(folder, {
    devices: [
      ...devices.map((id) => ({ id, intervalMs: Math.max(1_000, stepMs) })),
      { id: PROBE, intervalMs: 60_000 },
    ],
    rules: RULES,
    config: { store: { engine: 'influxdb', version: 1, url: influxUrl, database } },
    mqtt: { limits: { messagesPerDevice: { perSecond: 1_000, burst: 10_000 } } },
  });
  const environments = readdirSync(pantau.data, { withFileTypes: true, recursive: true })
    .filter(({ name, parentPath }) => name === 'data.mdb' && basename(parentPath) !== 'opening')
    .map(({ parentPath }) => ({
      name: parentPath.slice(pantau.data.length + 1),
      // Not with lmdb's own: that one lets what is committed at this instant be overwritten (decision 31).
      environment: LmdbEnvironment.open(parentPath),
    }));
  return {
    ...{
      name: 'Pantau',
      port: pantau.mqttPort,
      pids: [pantau.child.pid],
      password: (id) => pantau.tokens[id],
    },
    threads: async () =>
      Object.fromEntries(
        [...(await pantau.metrics())].flatMap(([series, value]) => {
          const [, thread] = /^pantau_thread_cpu_seconds_total\{thread="(.*)"\}$/.exec(series) ?? [];
          return thread === undefined ? [] : [[thread, value]];
        }),
      ),
    commits: () =>
      Object.fromEntries(
        environments.map(({ name, environment }) => [name, environment.root.getStats().lastTxnId]),
      ),
    alerts: (listener) => followAlerts(pantau, listener),
    close: async () => {
      await Promise.all(environments.map(({ environment }) => environment.close()));
      await kill(pantau.child);
    },
  };
}

/** Tells of each alert as a reader of the API gets it. */
async function followAlerts({ httpPort, apiToken }, listener) {
  const ending = new AbortController();
  const response = await fetch(`http://127.0.0.1:${httpPort}/api/v1/live?topics=alerts`, {
    headers: { authorization: `Bearer ${apiToken}` },
    signal: ending.signal,
  });
  if (!response.ok) throw new Error(`the live events answer ${response.status}`);
  void (async () => {
    for await (const chunk of response.body)
      for (const _ of Buffer.from(chunk)
        .toString()
        .matchAll(/"state":"(firing|resolved)"/g))
        listener();
  })().catch(() => undefined);
  return { close: () => ending.abort() };
}

async function ask(url, statement, database = '') {
  const response = await fetch(
    `${url}/query?${new URLSearchParams({ db: database, epoch: 'ms', q: statement })}`,
    {
      method: 'POST',
    },
  );
  return response.json();
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
