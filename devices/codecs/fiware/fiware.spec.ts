import type { CodecResult } from '#libs/telemetry';
import { describeCodecContract, fixture, message, unnamed } from '../codec.contract.js';
import { codec as named } from './index.js';

const codec = unnamed(named);

const KEY_VALUES = fixture('fiware', 'AirQualityObserved_example.json');
const NORMALIZED = fixture('fiware', 'AirQualityObserved_example-normalized.json');
const decode = (payload: unknown, more = {}): CodecResult => codec.decode(message(payload, more));
const attribute = (value: unknown, unitCode?: unknown, timestamp?: string) => ({
  type: 'Number',
  value,
  metadata: {
    ...(unitCode === undefined ? {} : { unitCode: { value: unitCode } }),
    ...(timestamp === undefined ? {} : { timestamp: { type: 'DateTime', value: timestamp } }),
  },
});
const entity = (attributes: object, dateObserved = '2026-01-02T03:00:00Z') => ({
  id: 'station-1',
  type: 'AirQualityObserved',
  dateObserved: { type: 'DateTime', value: dateObserved },
  ...attributes,
});
const TS = Date.UTC(2026, 0, 2, 3);

describeCodecContract(codec, {
  inputs: [{}],
  samples: [
    KEY_VALUES,
    NORMALIZED,
    fixture('fiware', 'ngsi-ld.json'),
    fixture('fiware', 'time-instant.json'),
    Buffer.from(JSON.stringify({ subscriptionId: 's', data: [entity({ pm25: attribute(12, 'GQ') })] })),
  ],
  passedOver: /^(?:dateObserved|TimeInstant|timestamp|unitCode|location|address|type)$/,
});

describe('fiware', () => {
  it('reads the normalized example; humidity is a fraction and the local time is no instant', () => {
    expect(decode(NORMALIZED)).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: undefined,
          values: [
            { parameter: 'co', value: 500, unit: 'mg/m3' },
            { parameter: 'temperature', value: 12.2, unit: 'degC' },
            { parameter: 'so2', value: 11, unit: 'ug/m3' },
            { parameter: 'humidity', value: 0.54, unit: 'fraction' },
            { parameter: 'no2', value: 69, unit: 'ug/m3' },
          ],
        },
      ],
      refusals: [],
      unread: [
        'no',
        'windDirection',
        'windSpeed',
        'nox',
        'airQualityIndex',
        'reliability',
        'pm4',
        'tpc',
        'tsp',
        'charge',
      ],
    });
  });

  it('reads the key-values example; pollutants have no unit there, and PM2.5 is absent', () => {
    const { outputs, refusals } = decode(KEY_VALUES);
    expect(outputs).toEqual([
      {
        kind: 'telemetry',
        ts: undefined,
        values: [
          { parameter: 'humidity', value: 0.54, unit: 'fraction' },
          { parameter: 'temperature', value: 12.2, unit: 'degC' },
        ],
      },
    ]);
    const remedy = 'publish the normalized form, in which unitCode is GQ, GP, 61 or 59';
    expect(refusals).toEqual([
      { reason: 'unknown_unit', detail: `co: no known unit of co; ${remedy}` },
      { reason: 'unknown_unit', detail: `so2: no known unit of so2; ${remedy}` },
    ]);
  });

  it('takes the local time of the example for an instant where the offset is configured', () => {
    expect(decode(NORMALIZED, { utcOffsetMs: 3_600_000 }).outputs).toMatchObject([
      { ts: Date.UTC(2016, 2, 15, 10) },
    ]);
  });

  it.each([
    ['co', 'GP', 'mg/m3'],
    ['pm25', 'GQ', 'ug/m3'],
    ['PM10', 'GQ', 'ug/m3'],
    ['CO', '59', 'ppm'],
    ['CO', 59, 'ppm'],
    ['O3', '61', 'ppb'],
    ['temperature', 'CEL', 'degC'],
    ['temperature', 'FAH', 'degF'],
    ['temperature', 'KEL', 'K'],
    ['relativeHumidity', 'P1', '%'],
    ['relativeHumidity', 'C62', 'fraction'],
  ])('reads %s with unit code %s', (name, code, unit) => {
    expect(decode(entity({ [name]: attribute(0.5, code) }))).toMatchObject({
      outputs: [{ ts: TS, values: [{ value: 0.5, unit }] }],
      refusals: [],
    });
  });

  it.each([
    ['no2', undefined],
    ['no2', 'XX'],
    ['no2', {}],
    ['temperature', 'XX'],
    ['pm10', '61'],
  ])('refuses %s with unit code %j', (name, code) => {
    expect(decode(entity({ [name]: attribute(7, code) }))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'unknown_unit' }],
    });
  });

  it.each([
    '2026-01-02T03:00:00Z/2026-01-02T04:00:00Z',
    '2026-01-02T03:00:00Z/PT1H',
    '2026-01-02T10:00:00+07:00',
  ])('takes the beginning of %s', (dateObserved) => {
    expect(decode(entity({ pm10: attribute(1, 'GQ') }, dateObserved)).outputs).toMatchObject([{ ts: TS }]);
  });

  it('gives an attribute with a time of its own at that time', () => {
    const attributes = { pm10: attribute(1, 'GQ'), no2: attribute(2, 'GQ', '2026-01-02T02:00:00Z') };
    expect(decode(entity(attributes)).outputs).toMatchObject([
      { ts: TS, values: [{ parameter: 'pm10' }] },
      { ts: TS - 3_600_000, values: [{ parameter: 'no2' }] },
    ]);
  });

  it('reads every entity of a notification and names its device', () => {
    const data = [
      entity({ pm10: attribute(1, 'GQ') }),
      {
        ...entity({ pm10: attribute(2, 'GQ') }),
        id: 'x-2026',
        refDevice: { type: 'Text', value: 'station-2' },
      },
      { id: 'w', type: 'WeatherObserved' },
    ];
    expect(decode({ subscriptionId: 's', data })).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: TS,
          source: 'station-1',
          values: [{ parameter: 'pm10', value: 1, unit: 'ug/m3' }],
        },
        {
          kind: 'telemetry',
          ts: TS,
          source: 'station-2',
          values: [{ parameter: 'pm10', value: 2, unit: 'ug/m3' }],
        },
      ],
      refusals: [{ reason: 'schema_violation', detail: '[2].type: expected AirQualityObserved' }],
    });
    expect(decode(data.slice(0, 1)).outputs).toMatchObject([{ source: 'station-1' }]);
    expect(decode({ data: [] }).refusals).toMatchObject([{ reason: 'schema_violation' }]);
  });

  it('takes air pressure along only where its unit is stated', () => {
    const o3 = attribute(40, '61');
    expect(decode(entity({ o3, atmosphericPressure: attribute(1009, 'A97') })).outputs).toMatchObject([
      { conditions: { pressureHpa: 1009 } },
    ]);
    expect(decode(entity({ o3, pressure: attribute(1.1) })).outputs[0]).not.toHaveProperty('conditions');
  });

  it('refuses numbers as text, dates that do not exist, and takes null for absent', () => {
    expect(decode(entity({ pm10: attribute('12', 'GQ') })).refusals).toMatchObject([
      { reason: 'number_as_text' },
    ]);
    expect(decode(entity({ pm10: attribute(12, 'GQ') }, '2026-02-30T00:00:00Z'))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'schema_violation' }],
    });
    expect(decode(entity({ pm10: attribute(null, 'GQ') })).ignored).toBe(
      'no attribute is one that Pantau measures',
    );
  });

  it('reads unit and time where NGSI-LD states them: at the attribute itself', () => {
    expect(decode(fixture('fiware', 'ngsi-ld.json'))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: Date.UTC(2026, 10, 28, 12),
          values: [
            { parameter: 'temperature', value: 86, unit: 'degF' },
            { parameter: 'humidity', value: 54, unit: '%' },
          ],
        },
        {
          kind: 'telemetry',
          ts: Date.UTC(2026, 10, 28, 12, 30),
          values: [{ parameter: 'pm25', value: 33, unit: 'ug/m3' }],
        },
      ],
      refusals: [],
    });
  });

  it('takes the time of an IoT Agent, TimeInstant, for the whole entity', () => {
    expect(decode(fixture('fiware', 'time-instant.json'))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: Date.UTC(2026, 10, 28, 8),
          values: [
            { parameter: 'pm25', value: 12, unit: 'ug/m3' },
            { parameter: 'temperature', value: 27, unit: 'degC' },
          ],
        },
      ],
      refusals: [],
    });
  });

  it.each([
    { value: 86, unitCode: 'XX' },
    { value: 86, unitCode: { value: 'https://example.org/units#F' } },
    { value: 86, unitText: 'degrees' },
    { value: 86, metadata: { unit: { value: '°F' } } },
    { value: 86, unitCode: 'CEL', metadata: { unitCode: { value: 'FAH' } } },
  ])('refuses a stated unit that is not understood, or contradicted: %j', (temperature) => {
    expect(decode(entity({ temperature }))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'unknown_unit' }],
    });
  });

  it.each(['observedAt', 'timestamp', 'TimeInstant'])(
    'refuses a %s that is no time, wherever it is stated; null states nothing',
    (name) => {
      const pm25 = { value: 7, unitCode: 'GQ' };
      const broken = { outputs: [], refusals: [{ reason: 'schema_violation' }] };
      expect(decode(entity({ pm25: { ...pm25, [name]: 'today' } }))).toMatchObject(broken);
      expect(decode(entity({ pm25: { ...pm25, metadata: { [name]: { value: 12 } } } }))).toMatchObject(
        broken,
      );
      expect(decode(entity({ pm25: { ...pm25, [name]: null } })).outputs).toMatchObject([{ ts: TS }]);
      const timeless = { ...entity({ pm25 }), dateObserved: undefined };
      expect(decode({ ...timeless, [name]: { value: 'today' } })).toMatchObject(broken);
      const stated = { '@type': 'DateTime', '@value': '2026-01-02T03:00:00Z' };
      expect(decode({ ...timeless, [name]: { type: 'Property', value: stated } }).outputs).toMatchObject([
        { ts: TS },
      ]);
    },
  );

  it.each([
    { timestamp: 'today', observedAt: '2026-01-02T03:00:00Z' },
    { timestamp: '2026-01-02T09:00:00Z', observedAt: '2026-01-02T03:00:00Z' },
    { TimeInstant: '2026-01-02T09:00:00Z', metadata: { timestamp: { value: '2026-01-02T03:00:00Z' } } },
    { observedAt: 12, metadata: { observedAt: { value: '2026-01-02T03:00:00Z' } } },
  ])('takes the first time of an attribute that is understood, in the order of its page: %j', (stated) => {
    const pm25 = { value: 7, unitCode: 'GQ', ...stated };
    const at = { outputs: [{ ts: TS }], refusals: [] };
    expect(decode(entity({ pm25 }, '2026-01-02T01:00:00Z'))).toMatchObject(at);
  });

  it.each([
    { timestamp: '2026-01-02T09:00:00Z', TimeInstant: '2026-01-02T03:00:00Z' },
    { dateObserved: 'today', observedAt: '2026-01-02T03:00:00Z' },
    { dateObserved: '2026-01-02T09:00:00', measured_at: '2026-01-02T03:00:00Z' },
  ])('takes that of the entity likewise: %j', (stated) => {
    const timeless = { ...entity({ pm25: { value: 7, unitCode: 'GQ' } }), dateObserved: undefined };
    expect(decode({ ...timeless, ...stated })).toMatchObject({ outputs: [{ ts: TS }], refusals: [] });
  });

  it('lists what a context broker says beside the entities, and refuses nothing for it', () => {
    expect(decode({ subscriptionId: 's', novelty: 7, data: [entity({})] })).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'no attribute is one that Pantau measures',
      unread: ['novelty'],
    });
  });
});
