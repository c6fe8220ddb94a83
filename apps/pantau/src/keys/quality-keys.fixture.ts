import { IngestModule } from '#apps/ingest';
import { Registry } from '#libs/identity';
import { LocalIngestQueries } from '#libs/ingest-state';
import { eachEntry, type Journal, lagOf } from '#libs/journal';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { createStage } from '#libs/journal-transport';
import { seededRandom } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import {
  CLOCK_LIMITS,
  LIMITS_OF_TESTS,
  limitsVersion,
  neighbourConsensus,
  qcLimitsOf,
  qcLimitsSchema,
  type QualitySetting,
} from '#libs/quality-control';
import type { StateStore } from '#libs/state';
import { type Observation, type Uplink } from '#libs/telemetry';
import { waitUntil, silentLogger } from '#libs/testing';
import { ingestOptions } from '../configuration/ingest-options.js';
import { recordSettings } from '../configuration/record-settings.js';
import type { Case, Cases, Files } from './keys.fixture.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DEVICE = 'udara-02';
const NOW = Date.UTC(2026, 0, 2, 3, 4, 10);
const clock = { now: () => NOW };

type Behaviour = Case['behaviour'];

/** With the file of limits, as JSON, which is YAML; and with the section `ingest`. */
const files = (limits: object, ingest: object = {}): Files => ({
  pantau: { qualityControl: 'own.yaml', ingest },
  'own.yaml': { version: 'of-the-test', ...limits },
});
const limited = (limits: object, behaviour: Behaviour, expected: Case['expected']): Case => ({
  ...{ beside: files({}), written: files(limits), behaviour, expected },
});
const arriving = (ingest: object, behaviour: Behaviour, expected: Case['expected']): Case => ({
  ...{ beside: files({}), written: files({}, ingest), behaviour, expected },
});

type Values = Readonly<Record<string, number>>;

/** The age of each message, oldest first, and what it says. */
type Said = readonly (readonly [age: number, values: Values])[];

function uplinkOf([age, values]: Said[number]): Uplink {
  return {
    ...{ site: 'betung', device: DEVICE, kind: 'telemetry', topic: `pantau/v1/betung/${DEVICE}/telemetry` },
    payload: Buffer.from(JSON.stringify({ ts: NOW - age, values })),
    ...{ receivedAt: NOW, qos: 1, messageId: undefined, dup: false, session: 's', will: false },
  };
}

interface Ingested extends AsyncDisposable {
  readonly journal: Journal;
  readonly state: StateStore;
}

/** The ingest stage, as the configuration has it, after it has read the messages. */
async function ingested(config: LoadedConfig, folder: string, uplinks: readonly Uplink[]): Promise<Ingested> {
  const state = LmdbStateStore.open(folder);
  const journal = await LmdbJournal.open({ state, clock, shards: 1 });
  const registry = new Registry(state);
  await registry.putSite({ id: 'betung', name: 'Betung' });
  await registry.putDevice({ id: DEVICE, site: 'betung', kind: 'air', name: 'U', intervalMs: MINUTE });
  const stage = await createStage(IngestModule.register(await ingestOptions(config, registry)), {
    ...{ stage: 'ingest', journal, state, clock, random: seededRandom(1), logger: silentLogger },
  });
  await stage.listen();
  await journal.append(
    'uplink',
    uplinks.map((data) => ({ key: data.device, data })),
  );
  await waitUntil('ingest has read everything', async () => (await lagOf(journal, 'ingest', 'uplink')) === 0);
  return {
    journal,
    state,
    async [Symbol.asyncDispose]() {
      await stage.close();
      await journal.close();
      await state.close();
    },
  };
}

/** What became of the messages: the last word on the last value but `fromEnd`, why it was refused, or the clocks. */
function ingesting(uplinks: readonly Uplink[], seen: 'reading' | 'value' | 'late', fromEnd = 0): Behaviour {
  return async (config, folder) => {
    await using ingest = await ingested(config, folder, uplinks);
    if (seen === 'late') {
      const [today] = await new LocalIngestQueries(ingest.state).clockDays(DEVICE, 1);
      return `late: ${today?.late}`;
    }
    const last = new Map<number, string>();
    await eachEntry(ingest.journal, 'readings', ({ data: { ts, readings } }) => {
      const [{ value, flag, failed = [] }] = readings as [Observation['readings'][0]];
      last.set(ts, seen === 'value' ? value.toFixed(1) : [flag, ...failed].join(' '));
    });
    const inOrder = [...last].sort(([a], [b]) => a - b).map(([, said]) => said);
    let refused = '';
    await eachEntry(ingest.journal, 'rejected', ({ data }) => (refused = data.reason));
    return inOrder.at(-1 - fromEnd) ?? refused;
  };
}

/** Values of a parameter one step apart, the last one now, each with the same others beside it. */
function series(parameter: string, values: readonly number[], step = MINUTE, beside: Values = {}): Uplink[] {
  return values.map((value, i) =>
    uplinkOf([(values.length - 1 - i) * step, { [parameter]: value, ...beside }]),
  );
}

const constant = (value: number, count: number): number[] => Array<number>(count).fill(value);

function ofTest(
  test: keyof typeof LIMITS_OF_TESTS,
  limits: object,
  behaviour: Behaviour,
  expected: readonly [string, string],
  parameter = 'pm25',
): Case {
  return limited({ parameters: { [parameter]: { [test]: limits } } }, behaviour, expected);
}

const peak = (value: number): Behaviour => ingesting(series('pm25', [20, 20, value, 20]), 'reading', 1);
const stuck = (count: number, step = MINUTE): Behaviour =>
  ingesting(series('pm25', constant(20, count), step), 'reading');
const wet = (count: number): Behaviour =>
  ingesting(series('humidity', constant(99.5, count), HOUR), 'reading');

/** What the neighbours say of 200 µg/m³ beside three others. */
const amongNeighbours: Behaviour = async (config, folder) => {
  const state = LmdbStateStore.open(folder);
  const { qcLimits } = await ingestOptions(config, new Registry(state));
  await state.close();
  const others = [30, 35, 45].map((value) => ({ value, distanceKm: 10 }));
  return `${neighbourConsensus(200, others, 'pm25', qcLimitsOf(DEVICE, qcLimits).parameters).flag}`;
};

/** The version in the record of settings. */
const recordedVersion: Behaviour = async (config, folder) => {
  const state = LmdbStateStore.open(folder);
  const journal = await LmdbJournal.open({ state, clock, shards: 1 });
  const { settings } = new Registry(state, { journal, clock });
  await recordSettings(settings, config);
  const [entry] = await settings.history<QualitySetting>('quality');
  await journal.close();
  await state.close();
  return limitsVersion(entry!.value);
};

const noGas: Uplink = {
  ...uplinkOf([0, {}]),
  ...{ kind: 'foreign', topic: '', codec: 'the-things-stack' },
  payload: Buffer.from(
    JSON.stringify({
      end_device_ids: {},
      uplink_message: {
        received_at: new Date(NOW).toISOString(),
        decoded_payload: { no2_ppb: 100, temperature_f: 95, pressure_hpa: 1000 },
      },
    }),
  ),
};
const wiggling = Array.from({ length: 14 }, (_, i) => 94 + (i % 2));
const alternating = Array.from({ length: 36 }, (_, i) => 20 + 3 * (i % 2));

/** The keys of a file of quality limits; those of `parameters` and `clock` are named by what stands in them. */
export const LIMITS: Cases = {
  version: limited({ version: 'another' }, recordedVersion, ['2+of-the-test', '2+another']),
  devices: limited(
    { devices: { [DEVICE]: { pm25: { range: { suspect: [0, 100] } } } } },
    ingesting(series('pm25', [150]), 'reading'),
    ['1', '3 gross_range'],
  ),
  instruments: limited(
    { instruments: { [DEVICE]: ['sds011'] } },
    ingesting(series('pm25', [1_500]), 'reading'),
    ['3 gross_range', '4 gross_range'],
  ),
  'clock.maxAhead': limited(
    { clock: { maxAhead: '10s' } },
    ingesting([uplinkOf([-30 * SECOND, { pm25: 20 }])], 'reading'),
    ['1', '3 clock_ahead'],
  ),
  'clock.lateAfter': limited(
    { clock: { lateAfter: '1m' } },
    ingesting([uplinkOf([5 * MINUTE, { pm25: 20 }])], 'late'),
    ['late: 0', 'late: 1'],
  ),
  'range.fail': ofTest('range', { fail: [0, 600] }, ingesting(series('pm25', [700]), 'reading'), [
    '3 gross_range',
    '4 gross_range',
  ]),
  'range.suspect': ofTest('range', { suspect: [0, 100] }, ingesting(series('pm25', [150]), 'reading'), [
    '1',
    '3 gross_range',
  ]),
  'spike.suspect': ofTest('spike', { suspect: 40 }, peak(65), ['1', '3 spike']),
  'spike.fail': ofTest('spike', { fail: 60 }, peak(85), ['3 spike', '4 spike']),
  'spike.maxSpan': ofTest('spike', { maxSpan: '1m' }, peak(85), ['3 spike', '1']),
  'rateOfChange.perMinute': ofTest(
    'rateOfChange',
    { perMinute: 10 },
    ingesting(series('pm25', [20, 35]), 'reading'),
    ['1', '3 rate_of_change'],
  ),
  'rateOfChange.maxGap': ofTest(
    'rateOfChange',
    { maxGap: '30s' },
    ingesting(series('pm25', [20, 300]), 'reading'),
    ['3 rate_of_change', '1'],
  ),
  'flatLine.tolerance': ofTest(
    'flatLine',
    { tolerance: 5 },
    ingesting(series('pm25', alternating), 'reading'),
    ['1', '3 flat_line'],
  ),
  'flatLine.suspectAfter': ofTest('flatLine', { suspectAfter: '15m' }, stuck(21), ['1', '3 flat_line']),
  'flatLine.failAfter': ofTest('flatLine', { failAfter: '35m' }, stuck(41), ['3 flat_line', '4 flat_line']),
  'flatLine.suspectSamples': ofTest('flatLine', { suspectSamples: 24 }, stuck(13, 5 * MINUTE), [
    '3 flat_line',
    '1',
  ]),
  'flatLine.failSamples': ofTest('flatLine', { failSamples: 50 }, stuck(25, 10 * MINUTE), [
    '4 flat_line',
    '3 flat_line',
  ]),
  'flatLine.maxGap': ofTest('flatLine', { maxGap: '5m' }, stuck(16, 10 * MINUTE), ['3 flat_line', '1']),
  'saturation.from': ofTest(
    'saturation',
    { from: 90 },
    ingesting(series('humidity', wiggling, HOUR), 'reading'),
    ['1', '3 saturation'],
    'humidity',
  ),
  'saturation.suspectAfter': ofTest(
    'saturation',
    { suspectAfter: '2h' },
    wet(6),
    ['1', '3 saturation'],
    'humidity',
  ),
  'saturation.maxGap': ofTest('saturation', { maxGap: '30m' }, wet(14), ['3 saturation', '1'], 'humidity'),
  'humidity.suspectFrom': ofTest(
    'humidity',
    { suspectFrom: 80 },
    ingesting(series('pm25', [20], MINUTE, { humidity: 85 }), 'reading'),
    ['1', '3 humidity'],
  ),
  'crossParameter.tolerance': ofTest(
    'crossParameter',
    { tolerance: 0.5 },
    ingesting(series('pm25', [13], MINUTE, { pm10: 10 }), 'reading'),
    ['3 cross_parameter', '1'],
  ),
  'neighbours.radiusKm': ofTest('neighbours', { radiusKm: 5 }, amongNeighbours, ['3', '2']),
  'neighbours.minNeighbours': ofTest('neighbours', { minNeighbours: 4 }, amongNeighbours, ['3', '2']),
  'neighbours.distance': ofTest('neighbours', { distance: 170 }, amongNeighbours, ['3', '1']),
  'neighbours.factor': ofTest('neighbours', { factor: 10 }, amongNeighbours, ['3', '1']),
};

/** The keys of the section `ingest`. */
export const INGEST: Cases = {
  'ingest.maxFuture': arriving(
    { maxFuture: '1m' },
    ingesting([uplinkOf([-3 * MINUTE, { pm25: 20 }])], 'reading'),
    ['3 clock_ahead', '3 clock'],
  ),
  'ingest.oldest': arriving(
    { oldest: '2026-01-02' },
    ingesting([uplinkOf([4 * HOUR, { pm25: 20 }])], 'reading'),
    ['1', '3 clock'],
  ),
  'ingest.maxAge': arriving({ maxAge: '1h' }, ingesting([uplinkOf([2 * HOUR, { pm25: 20 }])], 'reading'), [
    '1',
    'too_late',
  ]),
  'ingest.wrongClock': arriving(
    { wrongClock: 'refuse' },
    ingesting([uplinkOf([NOW - 1, { pm25: 20 }])], 'reading'),
    ['3 clock', 'timestamp_too_old'],
  ),
  'ingest.gasConditions': arriving({ gasConditions: 'measured' }, ingesting([noGas], 'value'), [
    '188.2',
    '179.7',
  ]),
};

/** Every key of the file of limits, from its schema; `parameters` and `clock` are named by what stands in them. */
export function limitKeys(): string[] {
  const inTests = Object.entries(LIMITS_OF_TESTS).flatMap(([test, { shape }]) =>
    Object.keys(shape).map((key) => `${test}.${key}`),
  );
  const inClock = Object.keys(CLOCK_LIMITS.shape).map((key) => `clock.${key}`);
  const others = Object.keys(qcLimitsSchema.shape).filter((key) => key !== 'parameters' && key !== 'clock');
  return [...others, ...inClock, ...inTests];
}
