import 'reflect-metadata';
import { DECODERS, decoderVersions } from '#apps/ingest';
import { DAY, HOUR } from '#libs/kernel';
import { TopicMappings, type Codec, type Observation } from '#libs/telemetry';
import { FLOAT, float, payload } from '../../../../devices/codecs/sparkplug-b/sparkplug.fixture.js';
import { AIR, DATE, Folder } from './verification.fixture.js';

const MIDDAY = Date.parse(`${DATE}T12:00:00+07:00`);
const PURPLE = { codec: 'purpleair' };
const lasers = (ts: number): object => ({
  ...{ SensorId: 'x', DateTime: new Date(ts).toISOString() },
  ...{ pm2_5_atm: 0, pm2_5_atm_b: 88.4 },
});

describe('a doubt of the device itself', () => {
  async function doubted(): Promise<Folder> {
    const folder = await new Folder().open();
    await folder.registry.putDevice(AIR);
    folder.now = MIDDAY;
    await folder.sendForeign(lasers(MIDDAY), PURPLE);
    await folder.listen();
    return folder;
  }

  it('is compared in the store', async () => {
    await using folder = await doubted();
    const { store } = await folder.verify();
    expect(store.result).toBe('equal');
    expect(await folder.check()).toMatchObject({ values: { different: 0 }, balanced: true });
    const [point] = await folder.store.query({ limit: 1, order: 'asc' });
    const { parameter, value, flag, failed, ...of } = point!;
    const reading = { parameter, value, flag, ...{ failed: failed ?? [] }, doubt: 'all is well' };
    await folder.store.write([{ ...of, readings: [reading] }]);
    expect(await folder.verify()).toMatchObject({
      result: 'different',
      difference: { part: 'store', store: expect.stringContaining('all is well') },
    });
    expect(await folder.check()).toMatchObject({
      values: { different: 1 },
      differences: [{ part: 'store', device: AIR.id, day: DATE }],
      balanced: false,
    });
  });

  it('is compared in the entries, also where flags no longer are', async () => {
    await using folder = await doubted();
    await folder.registry.settings.declare('quality', { shipped: 0, limits: null });
    await folder.forge<Observation>('readings', (data) => ({
      ...data,
      readings: data.readings.map((reading) => ({ ...reading, doubt: 'all is well' })),
    }));
    await folder.close();
    await folder.open();
    expect(await folder.verify()).toMatchObject({ result: 'different', difference: { part: 'entries' } });
    expect(await folder.check()).toMatchObject({ bytes: { different: 1, withFlags: false } });
  });
});

describe('a codec that remembers', () => {
  it('cannot be verified once retention took what it remembered, in one figure and in the full check', async () => {
    await using folder = await new Folder().open();
    folder.options = {
      ...folder.options,
      mappings: new TopicMappings([{ pattern: 'spBv1.0/{group}/{type}/{device}', codec: 'sparkplug-b' }]),
    };
    await folder.registry.putDevice(AIR);
    folder.now = MIDDAY - 3 * HOUR;
    const metric = { alias: 1, datatype: FLOAT, value: float(12, 12.5) };
    const birth = payload([{ ...metric, name: 'Air/PM2.5', unit: 'µg/m³' }]);
    await folder.sendForeign(birth, { topic: `spBv1.0/kab/NBIRTH/${AIR.id}` });
    for (let i = 0; i < 3; i++)
      await folder.sendForeign(payload([{ ...metric, value: float(12, i) }]), {
        topic: `spBv1.0/kab/NDATA/${AIR.id}`,
      });
    await folder.listen();
    expect((await folder.verify()).result).toBe('equal');
    folder.now += 1;
    await folder.journal.retain('uplink', { maxAge: 2.5 * HOUR });
    expect(await folder.verify()).toMatchObject({
      result: 'not_verifiable',
      missing: { stream: 'uplink', offset: 0, removedOn: new Date(folder.now).toISOString().slice(0, 10) },
    });
    expect(await folder.check()).toMatchObject({ bytes: { different: 0, notVerifiable: 3 }, balanced: true });
  });
});

describe('another version of a codec', () => {
  const versionOf = ({ version = 1 }: Codec): number => version;
  /** Reads otherwise than it used to. */
  const later = (codec: Codec, raises: number): Codec => ({
    ...codec,
    version: versionOf(codec) + raises,
    decode: (input) => {
      const result = codec.decode(input);
      const outputs = result.outputs.map((output) =>
        output.kind === 'telemetry'
          ? { ...output, values: output.values.map((of) => ({ ...of, value: of.value + 1 })) }
          : output,
      );
      return { ...result, outputs };
    },
  });

  it.each([
    [
      1,
      (then: number) => ({
        result: 'not_verifiable',
        decoder: { decoder: 'purpleair', then, now: then + 1 },
      }),
    ],
    [0, () => ({ result: 'different', difference: { part: 'entries' } })],
  ])('is told from tampering by its number: + %s', async (raises, expectedOf) => {
    await using folder = await new Folder().open();
    const expected: object = expectedOf(versionOf(folder.options.codecs.get('purpleair')!));
    await folder.registry.settings.declare(DECODERS, decoderVersions(folder.options.codecs));
    await folder.registry.putDevice(AIR);
    folder.now = MIDDAY;
    await folder.sendForeign({ ...lasers(MIDDAY), pm2_5_atm: 88 }, PURPLE);
    await folder.listen();
    expect((await folder.verify()).result).toBe('equal');
    const codecs = new Map(folder.options.codecs);
    codecs.set('purpleair', later(codecs.get('purpleair')!, raises));
    folder.options = { ...folder.options, codecs };
    folder.now += DAY;
    await folder.registry.settings.declare(DECODERS, decoderVersions(codecs));
    expect(await folder.verify()).toMatchObject(expected);
    const { bytes } = await folder.check();
    const { decoder } = expected as { decoder?: object };
    expect(bytes).toMatchObject(
      decoder === undefined
        ? { different: 1, notVerifiable: 0, decoders: [] }
        : { different: 0, notVerifiable: 1, decoders: [decoder] },
    );
  });
});
