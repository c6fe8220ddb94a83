import type { Registry } from '#libs/identity';
import type { LoadedConfig } from '#libs/platform';
import { ingestOptions } from './ingest-options.js';

type Mapping = Pick<LoadedConfig['mappings'][number], 'codec' | 'aliases'>;

function options(...mappings: readonly Mapping[]): Promise<unknown> {
  const ingest = { oldest: '2000-01-01T00:00:00Z' };
  const config = { mappings: mappings.map((mapping) => ({ pattern: 'a/{device}', ...mapping })), ingest };
  return ingestOptions(config as unknown as LoadedConfig, {} as Registry);
}

describe('aliases', () => {
  const [a, b] = [{ dapur: 'udara-01' }, { kulkas: 'udara-01' }];

  it.each([
    ['in one mapping', [{ codec: 'tasmota', aliases: { ...a, ...b } }]],
    [
      'in two',
      [
        { codec: 'tasmota', aliases: a },
        { codec: 'tasmota', aliases: b },
      ],
    ],
    [
      'of two codecs',
      [
        { codec: 'tasmota', aliases: a },
        { codec: 'zigbee2mqtt', aliases: b },
      ],
    ],
  ])('that give one device two names %s are refused, with both', async (_where, mappings) => {
    await expect(options(...mappings)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/"dapur" and "kulkas" both name the device udara-01/),
      remedy: expect.stringContaining('device of its own'),
    });
  });

  it.each([
    [
      'the same name in two mappings',
      [
        { codec: 'tasmota', aliases: a },
        { codec: 'tasmota', aliases: a },
      ],
    ],
    ['entities of one quantity each', [{ codec: 'home-assistant', aliases: { ...a, ...b } }]],
    [
      'a camera at its recorder and in its own events',
      [
        { codec: 'frigate', aliases: a },
        { codec: 'axis', aliases: b },
      ],
    ],
  ])('may be %s', async (_what, mappings) => {
    await expect(options(...mappings)).resolves.toBeDefined();
  });
});
