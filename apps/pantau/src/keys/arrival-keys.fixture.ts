import { DAY } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import { limitsVersion, type QualitySetting } from '#libs/quality-control';
import { waitUntil } from '#libs/testing';
import { memoryPlan, threadNames } from '../processes/memory-plan.js';
import { startMetricsServer } from '../processes/metrics-server.js';
import { withInstalled, withListening, type Said } from './installed.fixture.js';
import { type Case, type Cases, type Files } from './keys.fixture.js';

const FREE_PORTS = { mqtt: { port: 0 }, http: { port: 0 }, metrics: { port: false } };

const DEVICE = { id: 'udara-01', site: 'betung', kind: 'air', name: 'U', interval: '1m', maxAge: '1d' };
const SITES = {
  sites: [{ id: 'betung', name: 'Betung' }],
  devices: [
    { ...DEVICE, speaksFor: ['udara-02'] },
    { ...DEVICE, id: 'udara-02' },
  ],
};
const MAPPING = { pattern: 'tele/{device}/SENSOR', codec: 'tasmota' };
const PM25 = ['udara-01 pm25 20'];

const said = (topic: string, of: object = { Time: new Date().toISOString() }): Said => [
  topic,
  { ...of, SDS0X1: { 'PM2.5': 20 } },
];
/** What becomes of a message on the topic. */
function mapping(of: object, topic: string, expected: Case['expected'], beside: object = {}): Case {
  const files = (more: object): Files => ({
    pantau: { ...FREE_PORTS, mappings: [{ ...MAPPING, ...beside, ...more }] },
    'sites.yaml': SITES,
  });
  return {
    ...{ beside: files({}), written: files(of), expected },
    behaviour: (config) =>
      withListening(config, async ({ say, read }) => {
        await say('udara-01', [said(topic)]);
        return read();
      }),
  };
}
/** Two days ago, as a clock on the wall shows it in a zone that only the configuration names. */
const localTime = (): string => new Date(Date.now() - 2 * DAY).toISOString().slice(0, 19);

/** Whether something answers there. */
async function answers(host: string, port: number | undefined): Promise<boolean> {
  return fetch(`http://${host}:${port}/`).then(
    () => true,
    () => false,
  );
}
const intake = (
  of: object,
  use: (port: number | undefined) => unknown,
  expected: Case['expected'],
): Case => ({
  ...{ beside: { pantau: FREE_PORTS }, written: { pantau: { httpIntake: of } }, expected },
  behaviour: (config) => withListening(config, async ({ intakePort }) => use(intakePort)),
});
const metrics = (of: object, use: (port: number) => unknown, expected: Case['expected']): Case => ({
  ...{ beside: { pantau: { metrics: { port: 0 } } }, written: { pantau: { metrics: of } }, expected },
  async behaviour({ metrics: section }) {
    const server = await startMetricsServer(section, async () => '');
    const seen = server === undefined ? 'off' : await use(server.port);
    await server?.close();
    return seen;
  },
});

/** How often Pantau says within a second that it is alive. */
async function beats(config: LoadedConfig): Promise<string> {
  return withListening(config, async ({ engines: { journal } }) => {
    const count = async (): Promise<number> =>
      (await journal.stats()).find(({ stream }) => stream === 'liveness')?.entries ?? 0;
    const first = await count();
    return waitUntil(
      'three beats more',
      async () => (await count()) >= first + 3 * journal.shards,
      1_000,
    ).then(
      () => 'often',
      () => 'seldom',
    );
  });
}

/** The keys of the sections about what arrives, and of the file of its limits. */
export const ARRIVAL: Cases = {
  'mappings[].pattern': mapping({ pattern: 'other/{device}/SENSOR' }, 'other/udara-01/SENSOR', [[], PM25]),
  'mappings[].codec': mapping({ codec: 'purpleair' }, 'tele/udara-01/SENSOR', [PM25, ['schema_violation']]),
  'mappings[].device': mapping({ device: 'udara-02' }, 'tele/SENSOR', [PM25, ['udara-02 pm25 20']], {
    pattern: 'tele/SENSOR',
  }),
  'mappings[].aliases': mapping({ aliases: { sds: 'udara-01' } }, 'tele/SDS/SENSOR', [[], PM25]),
  'mappings[].utcOffset': {
    ...mapping({ utcOffset: '+07:00' }, '', [PM25, ['too_late']]),
    behaviour: (config) =>
      withListening(config, async ({ say, read }) => {
        await say('udara-01', [said('tele/udara-01/SENSOR', { Time: localTime() })]);
        return read();
      }),
  },
  qualityControl: {
    written: { pantau: { qualityControl: 'limits.yaml' } },
    behaviour: (config) =>
      withInstalled(config, async ({ registry }) => {
        const [entry] = await registry.settings.history<QualitySetting>('quality');
        return limitsVersion(entry!.value).split('+')[1];
      }),
    expected: [undefined, 'contoh-1'],
  },
  'httpIntake.host': intake({ host: '127.0.0.2' }, (port) => answers('127.0.0.1', port), [true, false]),
  'httpIntake.port': intake({ port: false }, (port) => port !== undefined, [true, false]),
  'metrics.host': metrics({ host: '127.0.0.2' }, (port) => answers('127.0.0.1', port), [true, false]),
  'metrics.port': metrics({ port: false }, () => 'on', ['on', 'off']),
  memory: {
    ...{ written: { pantau: { memory: '512MB' } }, beside: { pantau: { memory: '2GB' } } },
    behaviour: (config) => Promise.resolve(threadNames(memoryPlan(config, 2))),
    expected: [
      ['main', 'store', 'ingest', 'http-intake'],
      ['main', 'store'],
    ],
  },
  livenessBeat: {
    ...{ beside: { pantau: FREE_PORTS }, written: { pantau: { livenessBeat: '50ms' } } },
    ...{ behaviour: beats, expected: ['seldom', 'often'] },
  },
};
