import { loadCodecs } from '#devices/codecs';
import type { SetAsideTopic } from '#libs/telemetry';
import { previewOf } from './preview.js';

const codecs = await loadCodecs();
const TOPIC = 'tele/gudang/SENSOR';
const PATTERN = 'tele/{device}/SENSOR';

function topicWith(text: string, more: Partial<SetAsideTopic> = {}): SetAsideTopic {
  const sample = Buffer.from(text);
  return {
    ...{
      reason: 'not_mapped',
      detail: '',
      sender: 'udara-01',
      topic: TOPIC,
      count: 1,
      retain: false,
      reported: 1,
    },
    ...{ firstAt: 1_700_000_000_000, lastAt: 1_700_000_000_000, sample, sampleBytes: sample.length },
    ...more,
  };
}
const TASMOTA = topicWith('{"Time":"2023-11-14T22:13:20Z","SDS0X1":{"PM2.5":12.5,"PM10":30},"Uptime":7}');

describe('the preview of a topic that nobody reads', () => {
  it('tells what a codec would read of the sample, without keeping anything', () => {
    const { readings, isWhole } = previewOf(
      TASMOTA,
      { topic: TOPIC, pattern: PATTERN, codec: 'tasmota' },
      codecs,
    );
    expect(isWhole).toBe(true);
    expect(readings).toMatchObject([
      {
        codec: 'tasmota',
        outputs: [
          {
            kind: 'telemetry',
            ts: '2023-11-14T22:13:20.000Z',
            values: [
              { parameter: 'pm25', value: 12.5, unit: 'ug/m3' },
              { parameter: 'pm10', value: 30, unit: 'ug/m3' },
            ],
          },
        ],
      },
    ]);
  });

  it('finds the codecs that read it, among all, whatever the bytes are', () => {
    const query = { topic: TOPIC, pattern: PATTERN };
    const { readings, codecs: all } = previewOf(TASMOTA, query, codecs);
    expect(all).toEqual([...codecs.keys()].sort());
    expect(readings.map(({ codec }) => codec)).toContain('tasmota');
    expect(readings.every(({ outputs }) => outputs.length > 0)).toBe(true);
    expect(previewOf(topicWith('\u0000 no JSON'), query, codecs).readings).toEqual([]);
  });

  it('says why a codec reads nothing, and that a long message is kept in part', () => {
    const cut = topicWith('{"Time":"2023-11', { sampleBytes: 900 });
    const { readings, isWhole } = previewOf(
      cut,
      { topic: TOPIC, pattern: PATTERN, codec: 'tasmota' },
      codecs,
    );
    expect(isWhole).toBe(false);
    expect(readings).toMatchObject([{ outputs: [], refusals: [{ reason: expect.any(String) as string }] }]);
  });

  it.each([
    ['pattern', { pattern: 'tele/{device}/STATE' }],
    ['codec', { pattern: PATTERN, codec: 'tasmotta' }],
  ])('says at %s what does not fit', (field, query) => {
    expect(() => previewOf(TASMOTA, { topic: TOPIC, ...query }, codecs)).toThrow(
      expect.objectContaining({ code: 'USAGE', fields: [expect.objectContaining({ field })] }),
    );
  });
});
