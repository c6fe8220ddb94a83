/** What the benchmarks share: a folder and processes that are gone afterwards, free ports, the figures of a running Pantau. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist');
export const main = join(dist, 'apps', 'pantau', 'src', 'main.js');
/** Node as `npm start` starts it. */
export const NODE = [process.execPath, '--single-threaded-gc'];
export const load = join(dist, 'simulators', 'load', 'src', 'main.js');
const children = [];
const HOUR = 3_600_000;

/** Runs a benchmark in a folder of its own; whatever it started ends with it, also when it is interrupted. */
export async function bench(run) {
  const folder = mkdtempSync(join(process.env.PANTAU_BENCH_DIR ?? tmpdir(), 'pantau-bench-'));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  process.once('exit', () => {
    for (const child of children) child.kill('SIGKILL');
    // A process that was just killed may write a last file.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  try {
    await run(folder);
  } finally {
    await Promise.all(children.map(kill));
  }
}

/** A built library or app, such as `libs/journal`. */
export function built(path) {
  return import(pathToFileURL(join(dist, path, 'src', 'index.js')).href);
}

/** Starts a program; what it prints is kept in `text`. */
export function start(command, args, environment = process.env, stderr = 'inherit') {
  const child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', stderr] });
  child.text = '';
  child.stdout.on('data', (chunk) => (child.text += chunk));
  children.push(child);
  return child;
}

/** Starts a script that is talked to by messages. */
export function startClients(script, options, command = [process.execPath]) {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
  const child = spawn(command[0], [...command.slice(1), file], { stdio });
  children.push(child);
  child.send(options);
  return child;
}

/** The next message of a script; its end is an error. */
export async function answer(child, question) {
  const done = new AbortController();
  const { signal } = done;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`);
  });
  if (question !== undefined) child.send(question);
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    return message;
  } finally {
    ended.catch(() => undefined);
    done.abort();
  }
}

export async function finished(child) {
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} failed`);
  return child.text;
}

export async function kill(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export async function accepts(port) {
  for (let i = 0; i < 3_000; i++) {
    const socket = connect(port, '127.0.0.1');
    const outcome = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (outcome) return;
    await delay(20);
  }
  throw new Error(`nothing listens on ${port}`);
}

/**
 * The built program with a data folder of its own and the devices registered (an id each, or more), each with a token
 * in place of its password: a password costs its first connection a memory-hard hash, tens of milliseconds of a core,
 * by design.
 */
export async function startPantau(
  folder,
  { devices, mqtt = {}, config: more = {}, rules = 'rules: []\n', command = NODE },
) {
  const data = join(folder, 'data');
  const { tokens, apiToken } = await register(join(data, 'journal'), devices);
  const [mqttPort, httpPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const config = join(folder, 'pantau.yaml');
  writeFileSync(join(folder, 'sites.yaml'), '{}\n');
  writeFileSync(join(folder, 'rules.yaml'), rules);
  writeFileSync(
    config,
    // JSON is YAML too.
    JSON.stringify({
      data,
      mqtt: { port: mqttPort, ...mqtt },
      http: { port: httpPort },
      metrics: { port: metricsPort },
      ...more,
    }),
  );
  // The log is written as in operation, but not to the screen.
  const log = openSync(join(folder, 'pantau.log'), 'a');
  const [program, ...args] = command;
  const child = start(program, [...args, main, '--config', config, 'start'], process.env, log);
  await Promise.race([
    accepts(mqttPort).then(() => accepts(metricsPort)),
    once(child, 'exit').then(() => {
      throw new Error(`Pantau ended:\n${readFileSync(join(folder, 'pantau.log'), 'utf8')}`);
    }),
  ]);
  return {
    child,
    data,
    mqttPort,
    httpPort,
    metricsPort,
    tokens,
    apiToken,
    metrics: () => metrics(metricsPort),
  };
}

async function register(path, idsOrDevices) {
  const devices = idsOrDevices.map((device) => (typeof device === 'string' ? { id: device } : device));
  return withState(path, async (state, { Registry, DeviceCredentials, DeviceTokens, Tokens }) => {
    const clock = { now: Date.now };
    const registry = new Registry(state);
    const deviceTokens = new DeviceTokens(state, new DeviceCredentials(state, clock), clock);
    await registry.putSite({ id: 'bench', name: 'bench' });
    await Promise.all(
      devices.map((device) =>
        registry.putDevice({
          site: 'bench',
          kind: 'air',
          name: device.id,
          intervalMs: 86_400_000,
          ...device,
        }),
      ),
    );
    const tokens = await Promise.all(devices.map(({ id }) => deviceTokens.issue(id, 86_400_000)));
    const apiToken = await new Tokens(state, clock).create('bench', ['read']);
    return { tokens: Object.fromEntries(devices.map(({ id }, i) => [id, tokens[i]])), apiToken };
  });
}

/**
 * Opens the state of an installation, also beside a Pantau that runs on it.
 *
 * @param path - the folder of its journal
 * @param work - is given the state and what `libs/identity` exports
 */
export async function withState(path, work) {
  const [{ LmdbStateStore }, identity] = await Promise.all(['libs/engine-lmdb', 'libs/identity'].map(built));
  const state = LmdbStateStore.open(path);
  try {
    return await work(state, identity);
  } finally {
    await state.close();
  }
}

/** For each of these stations the hours that an index needs. */
export async function plantHours(state, ids, now) {
  const hours = [Math.floor(now / HOUR) * HOUR - HOUR, Array(7).fill(Array(24).fill(37.5))];
  await state.write(ids.map((key) => ({ namespace: 'gateway/recent-hours', key, value: hours })));
}

/** The configuration that the tests give the server, with these values in their places. @returns its path */
function writeConfiguration(name, folder, values) {
  const template = new URL(`../../libs/testing/src/configuration/${name}`, import.meta.url);
  const file = join(folder, name);
  writeFileSync(
    file,
    readFileSync(template, 'utf8').replace(/\{(\w+)\}/g, (_, place) => String(values[place])),
  );
  return file;
}

/** `influxd` on free loopback ports; a start goes on with the data of the one before. */
export async function prepareInflux(folder) {
  const [port, rpcPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const values = { folder, port, rpcPort, auth: false, coordinator: '' };
  const config = writeConfiguration('influxdb.conf', folder, values);
  let server;
  return {
    url,
    async start() {
      const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
      server = start('influxd', ['-config', config], environment, 'ignore');
      let failure;
      server.once('error', (error) => (failure = error));
      for (;;) {
        if (failure !== undefined || server.exitCode !== null)
          throw new Error('influxd does not start; apt-get install influxdb', { cause: failure });
        if (
          await fetch(`${url}/ping`).then(
            ({ ok }) => ok,
            () => false,
          )
        )
          return;
        await delay(20);
      }
    },
    pid: () => server.pid,
    kill: async () => server && kill(server),
  };
}

/** Mosquitto with nothing on disk, for anybody. @returns its port and process */
export async function startMosquitto(folder) {
  const port = await freePort();
  const config = writeConfiguration('mosquitto.conf', folder, { port, access: 'allow_anonymous true' });
  const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const { pid } = start('mosquitto', ['-c', config], environment);
  await accepts(port);
  return { port, pid };
}

/** Returns when no stage lags. */
export async function caughtUp(metricsPort) {
  for (;;) {
    const lags = [...(await metrics(metricsPort))].filter(([series]) =>
      series.startsWith('pantau_stage_lag{'),
    );
    if (lags.length > 0 && lags.every(([, entries]) => entries === 0)) return;
    await delay(50);
  }
}

/** Prometheus' text as a map from series to value; of the threads that report the same series the first, the broker's. */
async function metrics(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const values = new Map();
  for (const line of text.split('\n')) {
    const [, series, value] = /^(\w[^ ]*(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (series !== undefined && !values.has(series)) values.set(series, Number(value));
  }
  return values;
}

/** Readings of the last days, as many of each device, into a store through its port, before Pantau holds it. */
export async function fillStore(file, { ids, readings, until, days }) {
  const { DuckDbStore } = await built('libs/engine-duckdb');
  const store = await DuckDbStore.open(file);
  const each = Math.ceil(readings / ids.length);
  const span = days * 86_400_000;
  const step = Math.floor(span / each);
  const batch = Math.max(1, Math.floor(20_000 / ids.length));
  for (let i = 0; i < each; i += batch) {
    const observations = [];
    for (let n = i; n < Math.min(each, i + batch); n++)
      for (const device of ids) {
        const ts = until - span + n * step;
        const value = Math.round(1_000 * Math.abs(Math.sin(n / 50))) / 10;
        const reading = { parameter: 'pm25', value, flag: 1 };
        observations.push({ site: 'bench', device, ts, receivedAt: ts + 100, readings: [reading] });
      }
    await store.write(observations);
  }
  await store.close();
}

export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

export function median(numbers) {
  // Of an even count the mean of the two in the middle.
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
}

export function shown(number) {
  return Math.round(number).toLocaleString('en');
}
