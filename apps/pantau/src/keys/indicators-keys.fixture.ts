import { HOUR, MINUTE, PantauError } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import { LIVENESS_KEY, type Liveness, type Observation, type Signal } from '#libs/telemetry';
import { CAMERA, DATE, Fixture, from } from '../../../evidence/src/settings.fixture.js';
import { indicators } from '../configuration/configured-indicators.js';
import { merged, type Case, type Cases } from './keys.fixture.js';

const AIR = 'udara-01';
const MEASURED = { pm25: 20, pm10: 50 };
const text = { id: 'Rumus', en: 'Formula' };
const OWN = {
  ...{ key: 'own', version: 1, name: text, formula: text, unit: '%', deviceKind: 'camera' },
  ...{ function: 'availability', arguments: {} },
};
const file = (of: object): Case['written'] => ({
  ...{ pantau: { indicators: 'own.yaml' }, 'own.yaml': { indicators: [merged(OWN, of)] } },
});

/**
 * What an indicator makes of a camera that was up for twelve hours, by its heartbeats, and of an air sensor.
 *
 * @param wanted - indicator, subject and period
 */
const figure =
  (wanted: readonly [indicator: string, subject: string, period: string], member: string) =>
  async (config: LoadedConfig): Promise<unknown> => {
    await using fixture = await new Fixture(indicators(config)).open(HOUR);
    await fixture.registry.putSite({ id: 'betung', name: 'Betung' });
    await fixture.registry.putDevice(CAMERA);
    await fixture.registry.putDevice({ ...CAMERA, id: AIR, kind: 'air' });
    const hours = Array.from({ length: 25 }, (_, i) => from + i * HOUR);
    const beat = (at: number): Liveness => ({ component: 'broker', run: 'r', kind: 'beat', at });
    const of = (device: string, ts: number) =>
      ({ site: 'betung', device, ts, receivedAt: ts, uplink: { shard: 0, offset: 0 } }) as const;
    const up = (ts: number): Signal => ({ type: 'heartbeat', ...of(CAMERA.id, ts), state: 'up' });
    const measured = (ts: number): Observation => ({
      ...of(AIR, ts),
      readings: Object.entries(MEASURED).map(([parameter, value]) => ({
        ...{ parameter: parameter as keyof typeof MEASURED, value, flag: 1 as const },
      })),
    });
    await fixture.append('liveness', LIVENESS_KEY, hours.map(beat));
    await fixture.append('signals', CAMERA.id, hours.slice(0, 12).map(up));
    await fixture.append('readings', AIR, hours.map(measured));
    try {
      const record = await fixture.reader().get(...wanted);
      const { devices } = record.detail as { devices?: { device: string }[] };
      const shown = { ...record, devices: devices?.map((one) => one.device) } as Record<string, unknown>;
      return shown[member];
    } catch (error) {
      return error instanceof PantauError ? error.code : error;
    }
  };

/** How much Pantau counts of a device whose interval changed in the middle of an hour, and that kept to both. */
async function received(config: LoadedConfig): Promise<unknown> {
  await using fixture = await new Fixture(indicators(config)).open(HOUR);
  await fixture.registry.putSite({ id: 'betung', name: 'Betung' });
  const device = { ...CAMERA, id: AIR, kind: 'air' } as const;
  await fixture.registry.putDevice({ ...device, intervalMs: 15 * MINUTE });
  fixture.now = from + 30 * MINUTE;
  await fixture.registry.putDevice({ ...device, intervalMs: 5 * MINUTE });
  const measured = [0, 15, 30, 35, 40, 45, 50, 55].map((minute): Observation => {
    const ts = from + minute * MINUTE;
    return {
      ...{ site: 'betung', device: AIR, ts, receivedAt: ts, uplink: { shard: 0, offset: 0 } },
      readings: [{ parameter: 'pm25', value: 20, flag: 1 }],
    };
  });
  await fixture.append('readings', AIR, measured);
  const { dataCapture } = await fixture.reader().get('own', AIR, DATE);
  return dataCapture['received'];
}

const PM25 = { arguments: { parameter: 'pm25' } };
const DAY = ['own', CAMERA.id, DATE] as const;

const ON_AIR = ['value', ['own', AIR, DATE]] as const;

function indicator(
  of: object,
  expected: Case['expected'],
  member = 'value',
  wanted: readonly [string, string, string] = DAY,
  beside: object = {},
): Case {
  return {
    ...{ beside: file(beside), written: file(merged(beside, of)) },
    ...{ behaviour: figure(wanted, member), expected },
  };
}

/** A member of which the API shows the definition, and the command line the text. */
const words = (member: 'name' | 'formula', language: 'id' | 'en'): Case => ({
  ...{ beside: file({}), written: file({ [member]: { [language]: 'Lain' } }) },
  behaviour: async (config) => indicators(config).find(({ key }) => key === 'own')?.[member][language],
  expected: [text[language], 'Lain'],
});

/** The keys of a file of indicators, of every function, and the name of that file. */
export const INDICATORS: Cases = {
  indicators: {
    beside: { 'own.yaml': { indicators: [OWN] } },
    written: { pantau: { indicators: 'own.yaml' } },
    ...{ behaviour: figure(DAY, 'value'), expected: ['NOT_FOUND', (12.5 / 24) * 100] },
  },
  'indicators[].key': indicator({ key: 'other' }, [(12.5 / 24) * 100, 'NOT_FOUND']),
  'indicators[].version': indicator({ version: 7 }, [1, 7], 'version'),
  'indicators[].name.id': words('name', 'id'),
  'indicators[].name.en': words('name', 'en'),
  'indicators[].formula.id': words('formula', 'id'),
  'indicators[].formula.en': words('formula', 'en'),
  'indicators[].unit': indicator({ unit: 'percent' }, ['%', 'percent'], 'unit'),
  'indicators[].subject': indicator(
    { subject: 'site' },
    ['DEVICE_UNKNOWN', [CAMERA.id]],
    ...(['devices', ['own', 'betung', DATE]] as const),
  ),
  'indicators[].deviceKind': indicator(
    { deviceKind: 'air' },
    [[CAMERA.id], [AIR]],
    ...(['devices', ['own', 'betung', DATE], { subject: 'site' }] as const),
  ),
  'indicators[].period': indicator(
    { period: 'hour' },
    ['OUT_OF_RANGE', 50],
    ...(['value', ['own', CAMERA.id, `${DATE}T12`]] as const),
  ),
  'indicators[].function': indicator({ function: 'mean-of-hours', ...PM25 }, [0, MEASURED.pm25], ...ON_AIR, {
    deviceKind: 'air',
  }),
  'indicators[].arguments.parameter': indicator(
    { arguments: { parameter: 'pm10' } },
    [MEASURED.pm25, MEASURED.pm10],
    ...ON_AIR,
    { function: 'mean-of-hours', ...PM25, deviceKind: 'air' },
  ),
  'indicators[].arguments.changedInterval': {
    ...indicator({ arguments: { changedInterval: 'by_time' } }, [6, 8], ...ON_AIR, {
      ...{ function: 'mean-of-hours', ...PM25, deviceKind: 'air' },
    }),
    behaviour: received,
  },
  'indicators[].arguments.graceShare': indicator({ arguments: { graceShare: 1 } }, [
    (12.5 / 24) * 100,
    (13 / 24) * 100,
  ]),
};
