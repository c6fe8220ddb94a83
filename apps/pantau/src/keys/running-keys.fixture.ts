import { freePort, startProcess, waitUntil, type ServerProcess } from '#libs/testing';
import mqtt from 'mqtt';
import { once } from 'node:events';
import { join } from 'node:path';
import { openEngines } from '../storage/engines.js';
import { at, merged, withFiles, type Files } from './keys.fixture.js';
import { ENVIRONMENT_VARIABLES, type LoadedConfig } from '#libs/platform';
import { MAIN } from '../built.fixture.js';

const START_DEADLINE_MS = 60_000;
/** Lets a test block the event loop. */
const BLOCKABLE = "--import=data:text/javascript,process.on('SIGUSR2',()=>{for(;;);})";
const CHOSEN = await freePort();
const DEVICE = { id: 'udara-01', site: 'betung', kind: 'air', name: 'U', interval: '1m' };

/** The whole of Pantau in a process of its own. */
export interface Running {
  readonly config: LoadedConfig;
  readonly server: ServerProcess;
}

/** A key that only a whole Pantau shows: what it is set to, and what is seen without it and with it. */
interface RunningCase {
  readonly value: unknown;
  readonly seen: (running: Running) => Promise<unknown>;
  readonly expected: readonly [unknown, unknown];
}

const isThere = (address: string): Promise<boolean> =>
  fetch(address).then(
    ({ status }) => status === 200,
    () => false,
  );

/** How a device stands whose connection has just broken. */
async function presence({ config, server }: Running): Promise<string> {
  const engines = await openEngines(config);
  const password = await engines.credentials.issue(DEVICE.id);
  await engines.close();
  const options = { clientId: DEVICE.id, username: DEVICE.id, password, reconnectPeriod: 0 };
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${config.mqtt.port}`, options);
  const token = /pantau_first-admin_\S+/.exec(server.output())?.[0] ?? '';
  const { host, port } = config.http;
  const state = async (): Promise<string | undefined> => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`http://${host}:${port}/api/v1/devices`, { headers });
    const { items } = (await answer.json()) as { items: { presence?: { state: string } }[] };
    return items[0]?.presence?.state;
  };
  await waitUntil('the device is connected', async () => (await state()) === 'connected');
  client.stream.destroy();
  client.end(true);
  await waitUntil('its end is known', async () => (await state()) !== 'connected');
  return (await state()) ?? '';
}

/** Whether those behind a proxy of this machine are told apart: one sends wrong tokens until it is sent away, then another one. */
async function areToldApart({ config }: Running): Promise<boolean> {
  const { host, port } = config.http;
  const ask = async (from: string): Promise<number> => {
    const headers = { authorization: 'Bearer wrong', 'x-forwarded-for': from };
    return (await fetch(`http://${host}:${port}/api/v1/devices`, { headers })).status;
  };
  let status = 401;
  for (let i = 0; i < 100 && status === 401; i++) status = await ask('10.0.0.1');
  if (status === 401) throw new Error('nobody is sent away');
  return (await ask('10.0.0.2')) === 401;
}

/** What becomes of it in ten seconds of a blocked event loop. */
async function blocked({ server }: Running): Promise<string> {
  const { process } = server;
  const ended = once(process, 'exit').then(() => String(process.signalCode));
  process.kill('SIGUSR2');
  const over = AbortSignal.timeout(10_000);
  return Promise.race([ended, once(over, 'abort').then(() => 'waits')]);
}

/** The last one ends it. */
export const RUNNING: Readonly<Record<string, RunningCase>> = {
  'http.host': {
    value: '127.0.0.2',
    seen: ({ config }) => isThere(`http://127.0.0.1:${config.http.port}/api/v1/health`),
    expected: [true, false],
  },
  'http.port': {
    value: CHOSEN,
    seen: ({ config }) => isThere(`http://${config.http.host}:${CHOSEN}/api/v1/health`),
    expected: [false, true],
  },
  'log.level': {
    value: 'debug',
    seen: async ({ server }) => server.output().includes('"level":20'),
    expected: [false, true],
  },
  'mqtt.flapGrace': { value: '1ms', seen: presence, expected: ['reconnecting', 'disconnected'] },
  'http.publicUrl': {
    value: 'https://pantau.example/udara',
    seen: async ({ server }) => server.output().includes('https://pantau.example/udara/link#'),
    expected: [false, true],
  },
  'http.trustProxy': { value: ['127.0.0.0/8'], seen: areToldApart, expected: [false, true] },
  watchdog: { value: '5s', seen: blocked, expected: ['waits', 'SIGKILL'] },
};

/** Every key of the table: in none of the ways, in the file, or by the environment where it has a variable. */
export type Way = 'without' | 'file' | 'environment';

export async function withRunning<T>(way: Way, use: (running: Running) => Promise<T>): Promise<T> {
  const base: Files = {
    pantau: {
      ...{ mqtt: { port: await freePort() }, http: { port: await freePort() }, log: { level: 'warn' } },
      ...{ httpIntake: { port: false }, metrics: { port: false } },
    },
    'sites.yaml': { sites: [{ id: 'betung', name: 'Betung' }], devices: [DEVICE] },
  };
  const variables = way === 'environment' ? Object.entries(ENVIRONMENT_VARIABLES) : [];
  const environment = Object.fromEntries(
    variables.flatMap(([name, key]) => (RUNNING[key] ? [[name, String(RUNNING[key].value)]] : [])),
  ) as Record<string, string>;
  const written = Object.entries(RUNNING).filter(
    ([key]) => way !== 'without' && !variables.some(([, one]) => one === key),
  );
  const files = written.reduce(
    (all, [key, { value }]) => merged(all, { pantau: at(key, value) }) as Files,
    base,
  );
  const run = async (config: LoadedConfig, folder: string): Promise<T> => {
    const args = [MAIN, '--config', join(folder, 'pantau.yaml'), 'start'];
    await using server = startProcess(process.execPath, [BLOCKABLE, ...args], environment);
    const hasEnded = (): boolean => server.process.exitCode !== null;
    await waitUntil('Pantau runs', () => hasEnded() || server.output().includes('ready:'), START_DEADLINE_MS);
    if (hasEnded()) throw new Error(server.output());
    return await use({ config, server });
  };
  return withFiles(files, run, environment);
}
