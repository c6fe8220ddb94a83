/**
 * What the API costs: p50 and p99 of each list, of a month of one device and of the current index of all, over a store of many
 * readings while devices publish; how much longer devices wait for their acknowledgements meanwhile than without a request, in one
 * run; and what readers of live events cost and wait.
 *
 * usage: npm run bench:api [-- devices readings seconds readers messages]
 * A short run: npm run bench:api -- 200 100000 8 100
 */
import { mkdirSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  answer,
  bench,
  caughtUp,
  fillStore,
  plantHours,
  quantile,
  shown,
  startClients,
  startPantau,
  withState,
} from '../bench.mjs';

const [devices = 1_000, readings = 2_000_000, seconds = 30, readers = 500, perSecond = 1_000] = process.argv
  .slice(2)
  .map(Number);
const CLIENTS = 'api/clients.mjs';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const AIM_MS = 200;
/** A token may ask fifty times a second. */
const TOKENS = 20;
const PUBLISHERS = Math.min(devices - 1, 200);

const ids = Array.from({ length: devices }, (_, i) => `udara-${String(i).padStart(4, '0')}`);
const probe = ids.at(-1);
const now = Date.now();
const month = `from=${new Date(now - 30 * DAY).toISOString()}&to=${new Date(now + DAY).toISOString()}`;
const day = `from=${new Date(now - DAY).toISOString()}&to=${new Date(now).toISOString()}`;
const ROUTES = [
  ...[
    'devices?limit=100',
    'devices?limit=1000',
    'devices?state=unknown&limit=100',
    'devices?site=bench&limit=100',
  ],
  ...[`devices/${ids[0]}`, 'sites', 'stations?limit=10000', `stations/${ids[0]}`, 'metrics/values'],
  ...['readings', 'readings?parameter=pm25&limit=1000', `readings?device=${ids[0]}&${month}&limit=10000`],
  ...[`readings/count?device=${ids[0]}`, 'readings/count', `readings?device=${ids[0]}&${month}&format=csv`],
  ...[
    `rollups?device=${ids[0]}&parameter=pm25&${month.replace(/&to=.*/, `&to=${new Date(now).toISOString()}`)}`,
  ],
  ...[
    `disagreements?${day}`,
    'alerts',
    'rejected',
    'foreign-topics',
    'audit',
    'indicators',
    'rules',
    'users',
    'tokens',
  ],
  ...[
    `indicators?device=${ids[0]}`,
    `devices/${ids[0]}/commands`,
    `devices/${ids[0]}/clock`,
    'health',
    'reconciliation',
  ],
];

const [load] = loadavg();
if (load > availableParallelism() / 2)
  console.log(
    `this machine is busy with other work (load ${load.toFixed(1)}): times are longer than its own`,
  );

await bench(async (folder) => {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  await fillStore(join(data, 'readings.duckdb'), { ids, readings, until: now, days: 30 });
  const pantau = await startPantau(folder, { devices: ids.map((id) => ({ id, intervalMs: MINUTE })) });
  const { mqttPort: port, httpPort, metricsPort, tokens } = pantau;
  const bearers = await planted(join(data, 'journal'));
  const publishers = startClients(CLIENTS, {
    ...{ role: 'devices', port, perSecond },
    tokens: Object.fromEntries(ids.slice(0, PUBLISHERS).map((id) => [id, tokens[id]])),
  });
  await answer(publishers);
  const asker = startClients(CLIENTS, { role: 'asker', httpPort, bearers, routes: ROUTES });
  await answer(asker);

  // The first seconds are of a program that is not warm.
  await answer(publishers, { seconds: 5 });
  const quiet = [];
  const quietly = async () => quiet.push(...(await answer(publishers, { seconds: seconds / 2 })).latencies);
  await quietly();
  const asking = answer(asker, { seconds });
  const beside = [];
  let isDone = false;
  void asking.then(() => (isDone = true));
  let rate = 0;
  while (!isDone) {
    const part = await answer(publishers, { seconds: 5 });
    beside.push(...part.latencies);
    rate = part.perSecond;
  }
  const { results } = await asking;
  await quietly();

  console.log(
    `${shown(readings)} readings of ${shown(devices)} devices in DuckDB, ${shown(rate)} messages/s coming in; ${availableParallelism()} cores`,
  );
  const width = Math.max(...ROUTES.map((route) => shortened(route).length));
  console.log(`${'GET /api/v1/'.padEnd(width)}      n      p50      p99     bytes`);
  for (const [i, { ms, bytes }] of results.entries()) {
    const [p50, p99] = [quantile(ms, 0.5), quantile(ms, 0.99)];
    const cells = [String(ms.length).padStart(6), time(p50), time(p99), shown(bytes).padStart(9)];
    console.log(
      `${shortened(ROUTES[i]).padEnd(width)} ${cells.join(' ')}${p99 > AIM_MS ? `  beyond ${AIM_MS} ms` : ''}`,
    );
  }
  const [before, during] = [quantile(quiet, 0.99), quantile(beside, 0.99)];
  console.log(
    `PUBACK without requests p50 ${time(quantile(quiet, 0.5))} p99 ${time(before)}; beside them p50 ${time(quantile(beside, 0.5))} p99 ${time(during)}: ratio ${(during / before).toFixed(2)}`,
  );

  await caughtUp(metricsPort);
  await followed({ port, httpPort, metricsPort, bearer: bearers[0], password: tokens[probe] }, publishers);
});

/** Tokens of the API, and for every station the hours that an index needs. */
async function planted(path) {
  return withState(path, async (state, { Tokens, permissionsOf }) => {
    await plantHours(state, ids, now);
    const access = new Tokens(state, { now: Date.now });
    const made = [];
    for (let i = 0; i < TOKENS; i++)
      made.push(await access.create(`bench-${i}`, permissionsOf('administrator', 'token')));
    return made;
  });
}

/**
 * Readers of live events: memory of each, how long after the PUBACK they have what a device sent, and what of a core Pantau
 * takes meanwhile. A tenth of them follow all that is sent, the others one device.
 */
async function followed({ metricsPort, ...options }, publishers) {
  const lasting = Math.min(seconds, 20);
  const memory = () => gauge(metricsPort, 'process_resident_memory_bytes');
  /** Of Pantau, while devices publish: seconds of a core each second. */
  const cores = async (work) => {
    const [cpu, startedAt] = [await gauge(metricsPort, 'process_cpu_seconds_total'), performance.now()];
    const result = await work();
    const spent = (await gauge(metricsPort, 'process_cpu_seconds_total')) - cpu;
    return { result, cores: spent / ((performance.now() - startedAt) / 1_000) };
  };
  const publishing = () => answer(publishers, { seconds: lasting });
  const alone = await cores(publishing);
  await delay(2_000);
  const without = await memory();
  const everything = Math.floor(readers / 10);
  const groups = { device: probe, count: readers - everything, everything };
  const clients = startClients(CLIENTS, { role: 'readers', ...options, ...groups });
  await answer(clients);
  await delay(2_000);
  const each = ((await memory()) - without) / readers;
  const beside = await cores(async () => {
    const others = publishing();
    const answered = await answer(clients, { seconds: lasting, perSecond: 5 });
    return { ...answered, ...(await others) };
  });
  const { ofDevice, ofAll, perSecond } = beside.result;
  console.log(
    `${readers} readers of live events: ${shown(each / 1_024)} KiB each; ${shown(perSecond)} messages/s; Pantau takes ${beside.cores.toFixed(2)} of a core, ${alone.cores.toFixed(2)} without them`,
  );
  for (const [name, { count, delays, wanted }] of Object.entries({
    'one device': ofDevice,
    everything: ofAll,
  }))
    console.log(
      `  ${count} of ${name}: ${shown(delays.length)} of ${shown(wanted)} events; PUBACK to reader p50 ${time(quantile(delays, 0.5))} p99 ${time(quantile(delays, 0.99))}`,
    );
}

async function gauge(port, name) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

function shortened(route) {
  return route.replace(/from=.*?&to=[^&]*/, (span) => (span === day ? '(a day)' : '(a month)'));
}

function time(ms) {
  return `${ms.toFixed(1)} ms`.padStart(8);
}
