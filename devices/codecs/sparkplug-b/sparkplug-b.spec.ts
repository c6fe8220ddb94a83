import type { CodecInput, CodecResult } from '#libs/telemetry';
import { describeCodecContract, message, unnamed } from '../codec.contract.js';
import { codec as named } from './index.js';
import {
  bytes,
  double,
  DOUBLE,
  float,
  FLOAT,
  int,
  numbersOfProtobuf,
  payload,
  TS,
} from './sparkplug.fixture.js';

const codec = unnamed(named);

const topic = (type: string, device?: string): string =>
  `spBv1.0/kab/${type}/gw-1${device === undefined ? '' : `/${device}`}`;
const decode = (
  where: string,
  body: Uint8Array,
  memory?: unknown,
  parts: CodecInput['parts'] = {},
): CodecResult => codec.decode(message(body, { topic: where, memory, parts }));

const BIRTH = payload([
  { name: 'bdSeq', datatype: 4, value: int(11, 3) },
  { name: 'Air/PM2.5', alias: 1, datatype: FLOAT, unit: 'µg/m³', value: float(12, 12.5) },
  { name: 'Air/Temperature', alias: 2, datatype: 2, unit: '°C', value: int(10, 30) },
  { name: 'Air/NO2', alias: 3, datatype: DOUBLE, unit: 'ppb', value: double(13, 7.25) },
  { name: 'Outputs/Fan', alias: 4, datatype: 11, value: int(14, 1) },
]);

describeCodecContract(codec, {
  inputs: ['NBIRTH', 'NDATA', 'NDEATH', 'NCMD']
    .map((type) => ({ topic: topic(type), parts: {} }))
    .concat(['DBIRTH', 'DDATA', 'DDEATH'].map((type) => ({ topic: topic(type, 'udara'), parts: {} })))
    .concat([
      { topic: 'spBv1.0/STATE/host', parts: {} },
      { topic: '', parts: {} },
    ]),
  samples: [BIRTH, payload([{ alias: 1, value: float(12, 3.5) }]), Buffer.alloc(0)],
  numbersOf: numbersOfProtobuf,
  stating: (unit) => [
    message(payload([{ alias: 1, unit, value: float(12, 3.5) }]), {
      topic: topic('DDATA', 'udara'),
      memory: decode(topic('DBIRTH', 'udara'), BIRTH).memory,
    }),
  ],
  holding: [
    [{ name: 'Air/CO2', alias: 9, datatype: FLOAT, value: float(12, 600) }],
    [
      { name: 'Air/PM2.5', datatype: FLOAT, unit: 'µg/m³', value: float(12, 3.5) },
      { name: 'Air/CO2', datatype: 3, value: int(10, 600) },
    ],
    [{ name: 'Air/CO2', datatype: 12, value: bytes(15, '600') }],
    [{ name: 'Air/CO2', datatype: 19, value: bytes(18, '') }],
  ].flatMap((metrics) =>
    ['NBIRTH', 'NDATA', 'NDEATH'].map(
      (type) => [message(payload(metrics), { topic: topic(type) }), 'Air/CO2'] as const,
    ),
  ),
});

describe('births', () => {
  it('give status and values, and define the metrics', () => {
    const { outputs, refusals, memory } = decode(topic('NBIRTH'), BIRTH);
    expect(refusals).toEqual([]);
    expect(outputs).toEqual([
      { kind: 'status', ts: TS, source: 'gw-1', state: 'online' },
      {
        kind: 'telemetry',
        ts: TS,
        source: 'gw-1',
        values: [
          { parameter: 'pm25', value: 12.5, unit: 'ug/m3' },
          { parameter: 'temperature', value: 30, unit: 'degC' },
          { parameter: 'no2', value: 7.25, unit: 'ppb' },
        ],
      },
    ]);
    expect(memory).toEqual({
      births: [
        {
          at: 'kab/gw-1',
          session: 3,
          metrics: [
            { name: 'Air/PM2.5', alias: '1', datatype: FLOAT, unit: 'µg/m³' },
            { name: 'Air/Temperature', alias: '2', datatype: 2, unit: '°C' },
            { name: 'Air/NO2', alias: '3', datatype: DOUBLE, unit: 'ppb' },
            { alias: '4', name: 'Outputs/Fan', datatype: 11 },
          ],
        },
      ],
    });
    expect(structuredClone(memory)).toEqual(memory);
  });

  it('name the device of a device message, unless the topic pattern does', () => {
    expect(decode(topic('DBIRTH', 'udara'), BIRTH).outputs).toMatchObject([
      { source: 'udara' },
      { source: 'udara' },
    ]);
    for (const output of decode(topic('DBIRTH', 'udara'), BIRTH, undefined, { device: 'udara' }).outputs)
      expect(output).not.toHaveProperty('source');
  });

  it('of a node end those of its devices', () => {
    let { memory } = decode(topic('NBIRTH'), payload([]));
    ({ memory } = decode(topic('DBIRTH', 'udara'), BIRTH, memory));
    expect(memory).toMatchObject({ births: [{ at: 'kab/gw-1' }, { at: 'kab/gw-1/udara' }] });
    ({ memory } = decode(topic('NBIRTH'), payload([]), memory));
    expect(memory).toMatchObject({ births: [{ at: 'kab/gw-1' }] });
  });

  it('do not fill the memory without end', () => {
    let memory: unknown;
    for (let i = 0; i < 150; i++) ({ memory } = decode(topic('DBIRTH', `d${i}`), payload([]), memory));
    const { births } = memory as { births: { at: string }[] };
    expect(births).toHaveLength(100);
    expect(births.at(-1)?.at).toBe('kab/gw-1/d149');
  });

  it('of very many metrics do not fill it either, and those that are measured stay', () => {
    const many = payload([
      ...Array.from({ length: 9_000 }, (_, i) => ({ name: `Outputs/${i}`, alias: i })),
      { name: 'Air/PM2.5', alias: 9_001, datatype: FLOAT, unit: 'µg/m³' },
    ]);
    let memory: unknown;
    for (let i = 0; i < 5; i++) ({ memory } = decode(topic('DBIRTH', `d${i}`), many, memory));
    const { births } = memory as { births: { at: string; metrics: object[] }[] };
    expect(births.map(({ at, metrics }) => [at, metrics.length])).toEqual([['kab/gw-1/d4', 5_000]]);
    const data = payload([{ alias: 9_001, value: float(12, 12.5) }]);
    expect(decode(topic('DDATA', 'd4'), data, memory).outputs).toMatchObject([{ values: [{ value: 12.5 }] }]);
  });
});

describe('data', () => {
  const { memory } = decode(topic('NBIRTH'), BIRTH);

  it('with aliases takes name, data type and unit from the birth', () => {
    const body = payload([
      { alias: 1, value: float(12, 13.5) },
      { alias: 2, value: int(10, 0xfffe) },
      { alias: 4, value: int(14, 0) },
    ]);
    expect(decode(topic('NDATA'), body, memory)).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: TS,
          source: 'gw-1',
          values: [
            { parameter: 'pm25', value: 13.5, unit: 'ug/m3' },
            { parameter: 'temperature', value: -2, unit: 'degC' },
          ],
        },
      ],
      refusals: [],
    });
  });

  it('with names takes the unit from the birth', () => {
    const body = payload([{ name: 'Air/NO2', datatype: DOUBLE, value: double(13, 9) }]);
    expect(decode(topic('NDATA'), body, memory).outputs).toMatchObject([
      { values: [{ value: 9, unit: 'ppb' }] },
    ]);
    expect(decode(topic('NDATA'), body)).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'unknown_unit' }],
    });
  });

  it('with an alias that no birth names asks for a rebirth and keeps the value beside it', () => {
    const body = payload([
      { alias: 9, value: float(12, 1) },
      { alias: 1, value: float(12, 2) },
      { value: float(12, 3) },
    ]);
    expect(decode(topic('NDATA'), body, memory)).toMatchObject({
      outputs: [{ values: [{ parameter: 'pm25', value: 2 }] }],
      refusals: [
        {
          reason: 'unreadable',
          detail:
            'alias 9, none: no birth of kab/gw-1 names it; have the node send its births again (Node Control/Rebirth)',
        },
      ],
    });
    // A birth of the node defines nothing for its devices.
    expect(decode(topic('DDATA', 'udara'), body, memory).outputs).toEqual([]);
  });

  it('gives metrics with times of their own at those times', () => {
    const body = payload([
      { alias: 1, timestamp: TS - 60_000, value: float(12, 1) },
      { alias: 1, timestamp: TS, value: float(12, 2) },
    ]);
    expect(decode(topic('NDATA'), body, memory).outputs).toMatchObject([
      { ts: TS - 60_000, values: [{ value: 1 }] },
      { ts: TS, values: [{ value: 2 }] },
    ]);
  });

  it('takes a null metric for absent', () => {
    const body = payload([{ alias: 1, isNull: true, value: float(12, 0) }, { alias: 2 }]);
    expect(decode(topic('NDATA'), body, memory)).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'no metric is one that Pantau measures',
    });
  });

  it.each([
    ['Int8', 1, int(10, 0xff), -1],
    ['Int16', 2, int(10, 0x8000), -32768],
    ['Int32', 3, int(10, 0xffff_fffe), -2],
    ['Int32 that was widened', 3, int(10, -2), -2],
    ['Int64', 4, int(11, -5n), -5],
    ['UInt8', 5, int(10, 0xff), 255],
    ['UInt16', 6, int(10, 0xfffe), 65534],
    ['UInt32', 7, int(10, 0xffff_ffff), 4294967295],
    ['UInt64', 8, int(11, 12n), 12],
    ['Float', 9, float(12, -1.5), -1.5],
    ['Double', 10, double(13, 23.1), 23.1],
  ])('reads %s', (_, datatype, value, read) => {
    const body = payload([{ name: 'pm10', datatype, unit: 'ug/m3', value }]);
    expect(decode(topic('NDATA'), body).outputs).toMatchObject([{ values: [{ value: read }] }]);
  });

  it.each([
    ['NaN', FLOAT, float(12, NaN), 'not_finite'],
    ['infinity', DOUBLE, double(13, Infinity), 'not_finite'],
    ['a number as text', 12, bytes(15, '12'), 'number_as_text'],
    ['an integer without a data type', undefined, int(10, 200), 'unreadable'],
    ['a boolean', 11, int(14, 1), 'unreadable'],
    ['a data set', 16, bytes(17, ''), 'unreadable'],
  ])('refuses %s', (_, datatype, value, reason) => {
    const body = payload([
      { name: 'pm10', unit: 'ug/m3', value, ...(datatype === undefined ? {} : { datatype }) },
    ]);
    expect(decode(topic('NDATA'), body)).toMatchObject({ outputs: [], refusals: [{ reason }] });
  });

  it.each([
    ['μg/m³', 'pm10', 'ug/m3'],
    [' mg/m3 ', 'co', 'mg/m3'],
    ['ppm', 'co', 'ppm'],
    ['°F', 'temperature', 'degF'],
    ['K', 'temperature', 'K'],
    ['%RH', 'humidity', '%'],
  ])('reads the unit %j', (unit, name, read) => {
    const body = payload([{ name, datatype: FLOAT, unit, value: float(12, 1) }]);
    expect(decode(topic('NDATA'), body).outputs).toMatchObject([{ values: [{ unit: read }] }]);
  });

  it.each([undefined, 'furlong', ''])('refuses the unit %j', (unit) => {
    const body = payload([
      { name: 'pm10', datatype: FLOAT, value: float(12, 1), ...(unit === undefined ? {} : { unit }) },
    ]);
    expect(decode(topic('NDATA'), body).refusals).toMatchObject([{ reason: 'unknown_unit' }]);
  });

  it('refuses a time that no date can hold', () => {
    const body = payload([
      { name: 'pm10', datatype: FLOAT, unit: 'ug/m3', timestamp: 2n ** 63n, value: float(12, 1) },
    ]);
    expect(decode(topic('NDATA'), body).refusals).toMatchObject([{ reason: 'schema_violation' }]);
  });
});

describe('deaths', () => {
  it('of a node are those of its devices; the time in a will is not that of the death', () => {
    let { memory } = decode(topic('NBIRTH'), BIRTH);
    ({ memory } = decode(topic('DBIRTH', 'udara'), BIRTH, memory));
    const will = payload([{ name: 'bdSeq', datatype: 4, value: int(11, 3) }]);
    const { outputs, ...rest } = decode(topic('NDEATH'), will, memory);
    expect(outputs).toEqual([
      { kind: 'status', ts: undefined, source: 'gw-1', state: 'offline' },
      { kind: 'status', ts: undefined, source: 'udara', state: 'offline' },
    ]);
    expect(rest).toEqual({ refusals: [], memory: { births: [] } });
  });

  it('of an earlier session are ignored', () => {
    const { memory } = decode(topic('NBIRTH'), BIRTH);
    const will = payload([{ name: 'bdSeq', datatype: 4, value: int(11, 2) }], null);
    expect(decode(topic('NDEATH'), will, memory)).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'the death of an earlier session',
    });
  });

  it('of a device leave its node alone', () => {
    let { memory } = decode(topic('NBIRTH'), BIRTH);
    ({ memory } = decode(topic('DBIRTH', 'udara'), BIRTH, memory));
    expect(decode(topic('DDEATH', 'udara'), payload([]), memory)).toMatchObject({
      outputs: [{ source: 'udara', state: 'offline' }],
      memory: { births: [{ at: 'kab/gw-1' }] },
    });
  });
});

describe('sparkplug-b', () => {
  it.each([
    [topic('NCMD'), 'a command to the device'],
    [topic('DCMD', 'udara'), 'a command to the device'],
    ['spBv1.0/STATE/host', 'the state of a host application'],
  ])('ignores %s', (where, why) => {
    expect(decode(where, BIRTH)).toEqual({ outputs: [], refusals: [], ignored: why });
  });

  it.each([
    topic('NBIRTH', 'udara'),
    topic('DDATA'),
    topic('XDATA'),
    'spAv1.0/kab/NBIRTH/gw-1',
    'kab/NBIRTH/gw-1',
  ])('refuses the topic %s', (where) => {
    expect(decode(where, BIRTH)).toMatchObject({ outputs: [], refusals: [{ reason: 'unreadable' }] });
  });

  it('refuses JSON and compressed payloads', () => {
    expect(decode(topic('NDATA'), Buffer.from('{"timestamp":1}')).refusals).toMatchObject([
      { reason: 'unreadable', detail: 'payload: expected protobuf by sparkplug_b.proto' },
    ]);
    const compressed = Buffer.concat([bytes(4, 'SPBV1.0_COMPRESSED'), bytes(5, 'x')]);
    expect(decode(topic('NDATA'), compressed).refusals).toMatchObject([
      { detail: 'payload: it is compressed; switch compression off at the node' },
    ]);
  });

  it.each([7, 'x', [], { births: 7 }, { births: [7, { at: 1 }, { at: 'a' }] }])(
    'takes the memory %j for none',
    (memory) => {
      expect(
        decode(topic('NDATA'), payload([{ alias: 1, value: float(12, 1) }]), memory).refusals,
      ).toMatchObject([{ reason: 'unreadable' }]);
    },
  );

  it.each([
    [0, 'not_finite'],
    [24, 'not_finite'],
    [192, undefined],
    [216, undefined],
    [undefined, undefined],
    [500, 'Quality 500'],
    [64, 'Quality 64'],
    ['bad', 'Quality is no integer'],
  ])('takes the gateway at its word: Quality %p is %p', (quality, expected) => {
    const born = {
      name: 'Air/PM2.5',
      alias: 1,
      datatype: FLOAT,
      unit: 'µg/m³',
      value: float(12, 12.5),
      quality: 192,
    };
    const { memory } = decode(topic('DBIRTH', 'air'), payload([born]));
    const metric = { alias: 1, value: float(12, 0), ...(quality === undefined ? {} : { quality }) };
    const { outputs, refusals } = decode(topic('DDATA', 'air'), payload([metric]), memory);
    if (expected === 'not_finite')
      expect({ outputs, refusals }).toMatchObject({
        outputs: [],
        refusals: [{ reason: 'not_finite', detail: expect.stringMatching(/^Air\/PM2\.5: .*calls bad/) }],
      });
    else
      expect(outputs).toMatchObject([
        {
          values: [
            {
              parameter: 'pm25',
              value: 0,
              unit: 'ug/m3',
              ...(expected === undefined ? {} : { suspect: expected }),
            },
          ],
        },
      ]);
    if (expected === undefined) expect(JSON.stringify(outputs)).not.toContain('suspect');
  });
});
