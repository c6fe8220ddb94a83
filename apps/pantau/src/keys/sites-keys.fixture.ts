import { NeighbourMap } from '#libs/evidence';
import { DAY, HOUR, PantauError } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import type { Engines } from '../storage/engines.js';
import { withInstalled, withListening, type Said } from './installed.fixture.js';
import { merged, type Case, type Cases, type Files } from './keys.fixture.js';

const SITE = { id: 'betung', name: 'Betung', latitude: -2.9, longitude: 104.3 };
const SEMBAWA = { id: 'sembawa', name: 'Sembawa', latitude: -2.9, longitude: 104.4 };
const DEVICE = { id: 'udara-01', site: 'betung', kind: 'air', name: 'Udara 1', interval: '1m' };
const OTHER = { ...DEVICE, id: 'udara-02', site: 'sembawa' };

const FREE_PORTS = { mqtt: { port: 0 }, http: { port: 0 }, metrics: { port: false } };
const text = { id: 'Kecamatan', en: 'District' };
const BY_DISTRICT = {
  ...{ key: 'by-district', version: 1, name: text, formula: text, unit: '%', subject: 'district' },
  ...{ function: 'availability', arguments: {} },
};

const sites = (all: readonly object[], devices: readonly object[] = []): Files => ({
  pantau: { ...FREE_PORTS, indicators: 'own.yaml' },
  'own.yaml': { indicators: [BY_DISTRICT] },
  'sites.yaml': { sites: all, devices },
});
const file = (site: object, device: object): Files =>
  sites([merged(SITE, site), SEMBAWA], [merged(DEVICE, device), OTHER]);
const installed = (use: (engines: Engines) => unknown) => (config: LoadedConfig) =>
  withInstalled(config, async (engines) => {
    try {
      return await use(engines);
    } catch (error) {
      return error instanceof PantauError ? error.code : error;
    }
  });
const ofSite = (of: object, use: (engines: Engines) => unknown, expected: Case['expected']): Case => ({
  ...{ beside: file({}, {}), written: file(of, {}), behaviour: installed(use), expected },
});
const ofDevice = (of: object, use: (engines: Engines) => unknown, expected: Case['expected']): Case => ({
  ...{ beside: file({}, {}), written: file({}, of), behaviour: installed(use), expected },
});
const distance = async ({ registry }: Engines): Promise<number | undefined> => {
  const { neighboursOf } = await new NeighbourMap(registry, 1_000).current();
  return neighboursOf('udara-01').map(({ distanceKm }) => Math.round(distanceKm))[0];
};

const topicOf = (site: string, device = 'udara-01'): string => `pantau/v1/${site}/${device}/telemetry`;
const reading = (values: object, age = 0): object => ({ ts: Date.now() - age, values });
const PM25 = ['udara-01 pm25 20'];

/** What becomes of what the device `udara-01` says over MQTT. */
const spoken = (
  of: object,
  said: () => readonly Said[],
  expected: Case['expected'],
  more: object = {},
): Case => ({
  ...{ beside: merged(file({}, {}), more) as Files, written: merged(file({}, of), more) as Files, expected },
  behaviour: (config) =>
    withListening(config, async ({ say, read }) => {
      const answer = await say('udara-01', said());
      return answer === 'refused' ? answer : await read();
    }),
});

const tasmota = {
  pantau: { mappings: [{ pattern: 'tele/{device}/SENSOR', codec: 'tasmota' }] },
};
const twoSensors = (): readonly Said[] => [
  [
    'tele/udara-01/SENSOR',
    {
      Time: new Date().toISOString(),
      BME280: { Temperature: 27 },
      DS18B20: { Temperature: 30 },
      TempUnit: 'C',
    },
  ],
];

/** The keys of `sites.yaml`, and the name of that file. */
export const SITES: Cases = {
  sites: {
    beside: { ...file({}, {}), 'other.yaml': { sites: [SEMBAWA] } },
    written: { pantau: { sites: 'other.yaml' } },
    behaviour: installed(async ({ registry }) => (await registry.sites()).map(({ id }) => id)),
    expected: [['betung', 'sembawa'], ['sembawa']],
  },
  'sites[].id': {
    ...{ beside: sites([SITE]), written: sites([{ ...SITE, id: 'other' }]) },
    behaviour: installed(async ({ registry }) => (await registry.sites()).map(({ id }) => id)),
    expected: [['betung'], ['other']],
  },
  'sites[].name': ofSite({ name: 'Lain' }, async ({ registry }) => (await registry.site('betung'))?.name, [
    'Betung',
    'Lain',
  ]),
  'sites[].district': ofSite(
    { district: 'Betung, Kec.' },
    async ({ evidence }) =>
      (await evidence.subject('by-district', 'Betung, Kec.')).devices.map(({ id }) => id),
    ['NOT_FOUND', ['udara-01']],
  ),
  'sites[].latitude': ofSite({ latitude: -2.4 }, distance, [11, 57]),
  'sites[].longitude': ofSite({ longitude: 104.9 }, distance, [11, 56]),
  'devices[].id': spoken({ id: 'udara-09' }, () => [[topicOf('betung'), reading({ pm25: 20 })]], [
    PM25,
    'refused',
  ]),
  'devices[].site': spoken({ site: 'sembawa' }, () => [[topicOf('sembawa'), reading({ pm25: 20 })]], [
    [],
    PM25,
  ]),
  'devices[].kind': ofDevice(
    { kind: 'camera' },
    async ({ evidence }) => (await evidence.subject('soc.cctv.availability', 'udara-01')).name,
    ['NOT_FOUND', 'udara-01'],
  ),
  'devices[].name': ofDevice(
    { name: 'Lain' },
    async ({ registry }) => (await registry.device('udara-01'))?.name,
    ['Udara 1', 'Lain'],
  ),
  'devices[].interval': ofDevice(
    { interval: '10m' },
    async ({ evidence }) => (await evidence.rollups('udara-01', 'pm25', { from: 0, to: HOUR }))[0]?.expected,
    [60, 6],
  ),
  'devices[].maxAge': spoken({ maxAge: '1d' }, () => [[topicOf('betung'), reading({ pm25: 20 }, 2 * DAY)]], [
    PM25,
    ['too_late'],
  ]),
  'devices[].humidityCorrection': spoken(
    { humidityCorrection: 'epa-2021' },
    () => [[topicOf('betung'), reading({ pm25: 20, humidity: 50 })]],
    [
      [...PM25, 'udara-01 humidity 50'],
      expect.arrayContaining([expect.stringContaining('udara-01 pm25_corrected')]),
    ],
  ),
  'devices[].sensors': spoken(
    { sensors: { temperature: 'DS18B20' } },
    twoSensors,
    [
      ['udara-01 temperature 27', 'other_sensor'],
      ['udara-01 temperature 30', 'other_sensor'],
    ],
    tasmota,
  ),
  'devices[].speaksFor': spoken(
    { speaksFor: ['udara-02'] },
    () => [[topicOf('sembawa', 'udara-02'), reading({ pm25: 20 })]],
    [[], ['udara-02 pm25 20']],
  ),
};
