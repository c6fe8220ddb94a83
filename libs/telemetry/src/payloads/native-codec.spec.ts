import fc from 'fast-check';
import { decodeNative, type NativeResult } from './native-codec.js';
import { telemetryPayload } from './payloads.js';
import { HEARTBEAT_STATES } from '../states.js';
import { TOPIC_KINDS, type TopicKind } from '../topics/topics.js';

function decode(payload: string | Uint8Array, kind: TopicKind = 'telemetry'): NativeResult {
  return decodeNative(kind, typeof payload === 'string' ? Buffer.from(payload) : payload);
}

/** What a heartbeat of this state says; undefined when it is refused. */
function beat(state: string): unknown {
  const [output] = decode(JSON.stringify({ ts: 1, state }), 'heartbeat').outputs;
  if (output?.kind !== 'heartbeat') return undefined;
  return Object.fromEntries(Object.entries(output).filter(([name]) => name !== 'kind' && name !== 'ts'));
}

describe('decodeNative', () => {
  it('reads telemetry with ISO time or milliseconds', () => {
    const ts = Date.UTC(2026, 0, 1, 5);
    const expected = {
      outputs: [{ kind: 'telemetry', ts, values: [{ parameter: 'pm25', value: 37.5, unit: 'ug/m3' }] }],
      refusals: [],
    };
    expect(decode('{"ts":"2026-01-01T12:00:00+07:00","values":{"pm25":37.5}}')).toEqual(expected);
    expect(decode(`{"ts":${ts},"values":{"pm25":37.5}}`)).toEqual(expected);
  });

  it('reads heartbeats, status and events', () => {
    expect(
      decode(
        '{"ts":"2026-01-01T05:00:00Z","state":"down","reason":"rtsp 404","frames":7,"lastFrameAt":"2026-01-01T04:00:00Z"}',
        'heartbeat',
      ).outputs,
    ).toEqual([
      {
        kind: 'heartbeat',
        ts: Date.UTC(2026, 0, 1, 5),
        state: 'down',
        reason: 'rtsp 404',
        frames: 7,
        lastFrameAt: Date.UTC(2026, 0, 1, 4),
      },
    ]);
    expect(HEARTBEAT_STATES.map((state) => beat(state))).toEqual(
      HEARTBEAT_STATES.map((state) => ({ state })),
    );
    // What is not known is kept with its word: neither dropped nor taken for down.
    expect(beat('rebooting')).toEqual({ state: 'unknown', stated: 'rebooting' });
    expect(beat('')).toBeUndefined();
    expect(decode('{"state":"asleep"}', 'status').outputs).toEqual([
      { kind: 'status', ts: undefined, state: 'unknown', stated: 'asleep' },
    ]);
    expect(decode('{"state":"offline"}', 'status').outputs).toEqual([
      { kind: 'status', ts: undefined, state: 'offline' },
    ]);
    expect(
      decode('{"ts":"2026-01-01T05:00:00Z","name":"door","data":{"open":true}}', 'event').outputs,
    ).toMatchObject([{ name: 'door', data: { open: true } }]);
    expect(decode('{"id":"7","state":"done"}', 'result')).toEqual({
      outputs: [],
      refusals: [],
      result: { id: '7', state: 'done' },
    });
  });

  const ok = '"ts":"2026-01-01T05:00:00Z"';
  it.each([
    ['not JSON', 'pm25=12', 'not_json'],
    ['cut JSON', '{"ts":', 'not_json'],
    ['invalid UTF-8 in a broken text', Uint8Array.of(0xff, 0xfe, 0x7b), 'not_json'],
    ['nothing', '', 'not_json'],
    ['NaN as Python writes it', `{${ok},"values":{"pm25":NaN}}`, 'not_finite'],
    ['Infinity as Python writes it', `{${ok},"values":{"pm25":-Infinity}}`, 'not_finite'],
    ['deep JSON', '['.repeat(100_000), 'json_too_deep'],
    ['a list', '[]', 'schema_violation'],
    ['no values', `{${ok},"values":{}}`, 'schema_violation'],
    ['an unknown member', `{${ok},"values":{"pm25":1},"extra":1}`, 'schema_violation'],
    ['a time without a zone', '{"ts":"2026-01-01T05:00:00","values":{"pm25":1}}', 'schema_violation'],
    ['a derived parameter', `{${ok},"values":{"pm25_corrected":1}}`, 'unknown_parameter'],
    ['a time as text digits', '{"ts":"1767243600000","values":{"pm25":1}}', 'number_as_text'],
  ])('refuses %s', (_name, payload, reason) => {
    expect(decode(payload)).toMatchObject({ outputs: [], refusals: [{ reason }] });
  });

  it.each([
    ['lists', (deep: number) => '['.repeat(deep) + ']'.repeat(deep)],
    ['objects', (deep: number) => '{"a":'.repeat(deep) + '1' + '}'.repeat(deep)],
    ['both', (deep: number) => '[{"a":'.repeat(deep / 2) + (deep % 2 ? '[]' : '1') + '}]'.repeat(deep / 2)],
  ])('takes %s that are eight deep for JSON, and none that are deeper', (_name, nested) => {
    expect(decode(nested(8)).refusals).toMatchObject([{ reason: 'schema_violation' }]);
    expect(decode(nested(9)).refusals).toEqual([
      { reason: 'json_too_deep', detail: 'JSON nested 9 deep; at most 8' },
    ]);
  });

  it('counts how deep brackets are, not how many there are nor those in texts', () => {
    for (const harmless of [
      `[${'[],{},'.repeat(50)}0]`,
      `["${'[{'.repeat(50)}"]`,
      `["\\"${'[{'.repeat(50)}"]`,
    ])
      expect(decode(harmless).refusals).not.toMatchObject([{ reason: 'json_too_deep' }]);
  });

  it('says what is expected when a message states no time', () => {
    const { refusals } = decodeNative('telemetry', Buffer.from('{"values":{"pm25":37.5}}'));
    expect(refusals).toEqual([
      { reason: 'schema_violation', detail: expect.stringContaining('ts: expected the time of measurement') },
    ]);
  });

  it('keeps the good values of a message and gives each bad one its own reason', () => {
    expect(
      decode(`{${ok},"values":{"pm25":12.5,"pm10":"20","so2":null,"no2":1e999,"zzz":1,"co":300}}`),
    ).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: Date.UTC(2026, 0, 1, 5),
          values: [
            { parameter: 'pm25', value: 12.5, unit: 'ug/m3' },
            { parameter: 'co', value: 300, unit: 'ug/m3' },
          ],
        },
      ],
      refusals: [
        { reason: 'number_as_text', detail: 'values.pm10: expected a finite number, found the text "20"' },
        { reason: 'schema_violation', detail: 'values.so2: expected a finite number, found null' },
        { reason: 'not_finite', detail: 'values.no2: expected a finite number, found Infinity' },
        {
          reason: 'unknown_parameter',
          detail: 'values.zzz: expected one of pm25, pm10, so2, no2, co, o3, hc, temperature, humidity',
        },
      ],
    });
  });

  it.each([
    ['beside a good value', '{"__proto__":5,"pm25":1}', 1],
    ['beside a bad one', '{"__proto__":5,"pm25":1,"pm10":"x"}', 1],
    ['alone', '{"__proto__":5}', 0],
  ])('passes over no member of a strange name, %s', (_name, values, outputs) => {
    const result = decode(`{${ok},"values":${values}}`);
    expect(result.outputs).toHaveLength(outputs);
    expect(result.refusals[0]).toEqual({
      reason: 'unknown_parameter',
      detail: expect.stringContaining('values.__proto__: expected one of pm25'),
    });
  });

  it('takes telemetry without the schema exactly where the schema would take it', () => {
    const number = fc.oneof(
      fc.constantFrom(0, -0, 1.5, 1e300, 2 ** 53),
      fc.integer(),
      fc.double(),
      fc.string(),
    );
    const time = fc.oneof(number, fc.constantFrom('2026-01-01T05:00:00Z', '2026-01-01T05:00:00', null, []));
    const name = fc.oneof(fc.constantFrom('pm25', 'pm10', 'zzz', '__proto__', 'x'.repeat(65)), fc.string());
    const message = fc.record(
      { ts: time, seq: number, values: fc.oneof(fc.dictionary(name, number), fc.jsonValue()), extra: number },
      { requiredKeys: ['ts', 'values'] },
    );
    fc.assert(
      fc.property(fc.oneof(message, fc.jsonValue()), (given) => {
        const text = JSON.stringify(given);
        // The schema does not see a member of this name; what the decoder says of it is tested above.
        fc.pre(!text.includes('"__proto__"'));
        const value: unknown = JSON.parse(text);
        const schema = telemetryPayload.safeParse(value);
        const { refusals } = decode(text);
        const faults = refusals.filter(({ reason }) => reason !== 'unknown_parameter');
        expect(faults.length === 0).toBe(schema.success);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws and never invents a number, whatever the bytes are', () => {
    const kind = fc.constantFrom(...TOPIC_KINDS);
    fc.assert(
      fc.property(
        kind,
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
          fc.string().map((text) => Buffer.from(text)),
        ),
        (kind, bytes) => {
          decodeNative(kind, bytes);
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('pm25', 'pm10', 'humidity', 'zzz', '__proto__'), fc.jsonValue()),
        (values) => {
          const decoded = decode(JSON.stringify({ ts: 1, values }));
          for (const output of decoded.outputs) {
            if (output.kind !== 'telemetry') throw new Error('no telemetry');
            for (const { parameter, value } of output.values)
              expect(value).toBe(values[parameter] === -0 ? 0 : values[parameter]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
