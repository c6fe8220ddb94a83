import type { CodecResult } from '#libs/telemetry';
import { describeCodecContract, message, unnamed } from '../codec.contract.js';
import { codec as named } from './index.js';

const codec = unnamed(named);

const topicOf = (attribute: string, entity = 'teras_pm25'): string =>
  `statestream/sensor/${entity}/${attribute}`;
/** The messages of a stream one after the other. */
function play(...messages: readonly (readonly [topic: string, text: string])[]): CodecResult[] {
  let memory: unknown;
  return messages.map(([topic, text]) => {
    const result = codec.decode(message(text, { topic, memory }));
    memory = result.memory ?? memory;
    return result;
  });
}
const ATTRIBUTES = [
  [topicOf('state_class'), '"measurement"'],
  [topicOf('unit_of_measurement'), '"µg/m³"'],
  [topicOf('device_class'), '"pm25"'],
] as const;

describeCodecContract(codec, {
  inputs: ['state', 'device_class', 'unit_of_measurement', 'icon'].map((name) => ({ topic: topicOf(name) })),
  samples: ['18.4', '"pm25"', '"µg/m³"', 'unavailable'].map((text) => Buffer.from(text)),
  stating: (unit) => [
    message('18.4', {
      topic: topicOf('state'),
      memory: { entities: { teras_pm25: { class: 'pm25', unit } } },
    }),
  ],
  holding: [
    [
      message('600', {
        topic: topicOf('state', 'teras_co2'),
        memory: { entities: { teras_co2: { class: 'carbon_dioxide', unit: 'ppm' } } },
      }),
      'carbon_dioxide',
    ],
    [message('27.5', { topic: topicOf('temperature', 'cuaca') }), 'cuaca.temperature'],
    [message('{"dew_point":21}', { topic: topicOf('forecast', 'cuaca') }), 'cuaca.forecast.dew_point'],
  ],
});

describe('home-assistant', () => {
  it('reads a state once its class and unit are known, and does not lose the first one', () => {
    const [state, , , last] = play([topicOf('state'), '18.4'], ...ATTRIBUTES);
    expect(state).toMatchObject({ outputs: [], refusals: [] });
    const values = [{ parameter: 'pm25', value: 18.4, unit: 'ug/m3' }];
    expect(last!.outputs).toEqual([{ kind: 'telemetry', ts: undefined, source: 'teras_pm25', values }]);
    const again = play(...ATTRIBUTES, [topicOf('state'), '19']).at(-1)!;
    expect(again.outputs).toMatchObject([{ values: [{ value: 19 }] }]);
    // The attributes that come again with it bring no second value.
    expect(
      play(...ATTRIBUTES, [topicOf('state'), '19'], ...ATTRIBUTES).flatMap(({ outputs }) => outputs),
    ).toHaveLength(1);
  });

  it('refuses what nobody explains, instead of being silent', () => {
    const [first, second] = play([topicOf('state'), '18.4'], [topicOf('state'), '18.5']);
    expect(first!.refusals).toEqual([]);
    expect(second!.refusals).toMatchObject([
      { reason: 'unknown_unit', detail: expect.stringContaining('publish_attributes: true') },
    ]);
  });

  it.each([
    ['unavailable', 'not_finite'],
    ['many', 'schema_violation'],
  ])('refuses the state %s', (text, reason) => {
    expect(play(...ATTRIBUTES, [topicOf('state'), text]).at(-1)!.refusals).toMatchObject([{ reason }]);
  });

  it('keeps the unit that is stated, refuses one that is none of the parameter, and passes over other classes', () => {
    const of = (deviceClass: string, unit: string): CodecResult =>
      play(
        [topicOf('device_class', 'x'), `"${deviceClass}"`],
        [topicOf('unit_of_measurement', 'x'), `"${unit}"`],
        [topicOf('state', 'x'), '86'],
      ).at(-1)!;
    expect(of('temperature', '°F').outputs).toMatchObject([{ values: [{ value: 86, unit: 'degF' }] }]);
    expect(of('pm25', 'kg').refusals).toMatchObject([{ reason: 'unknown_unit' }]);
    expect(of('battery', '%').ignored).toBe('battery is no parameter');
  });
});
