import { describeCodecContract, fixture, message, unnamed, measuredInSession } from '../codec.contract.js';
import { codec as named } from './index.js';

const codec = unnamed(named);

const on = (name: string): { topic: string; parts: Record<string, string> } => ({
  topic: `udara-01/sensor/${name}/state`,
  parts: { device: 'udara-01', parameter: name },
});

describeCodecContract(codec, {
  inputs: [
    on('pm_2_5'),
    on('temperature'),
    on('constructor'),
    { topic: 'udara-01/status', parts: { device: 'udara-01' } },
    {},
  ],
  samples: [Buffer.from('18.4'), Buffer.from('-3'), Buffer.from('nan'), Buffer.from('online')],
  stating: (unit) => [message(`18.4 ${unit}`, on('pm_2_5'))],
  holding: ['co2', 'pm_1_0', 'soil'].map((name) => [message('600', on(name)), name]),
  numbersOf: (payload) => new Set([Number(Buffer.from(payload).toString())]),
});

describe('esphome', () => {
  it.each([
    ['pm_2_5', 'pm25', 'ug/m3'],
    ['pm2_5', 'pm25', 'ug/m3'],
    ['pm25', 'pm25', 'ug/m3'],
    ['pm_10_0', 'pm10', 'ug/m3'],
    ['pm_10', 'pm10', 'ug/m3'],
    ['pm10', 'pm10', 'ug/m3'],
    ['temperature', 'temperature', 'degC'],
    ['humidity', 'humidity', '%'],
  ])('reads %s as %s in %s', (name, parameter, unit) => {
    const expected = {
      outputs: [{ kind: 'telemetry', ts: undefined, values: [{ parameter, value: 18.4, unit }] }],
      refusals: [],
    };
    expect(codec.decode(message('18.4', on(name)))).toEqual(expected);
    // A pattern that names no part for the parameter leaves the topic to say it.
    expect(codec.decode(message('18.4', { ...on(name), parts: { device: 'udara-01' } }))).toEqual(expected);
  });

  it.each([
    ['-3', -3],
    ['0.00', 0],
    ['21.50\n', 21.5],
  ])('reads %j', (text, value) => {
    expect(codec.decode(message(text, on('temperature'))).outputs).toMatchObject([{ values: [{ value }] }]);
  });

  it.each([
    ['nan', 'not_finite', 'humidity: expected a finite number, found the text "nan"'],
    ['NaN', 'not_finite', 'humidity: expected a finite number, found the text "NaN"'],
    ['None', 'not_finite', 'humidity: expected a finite number, found None: no value yet'],
    ['', 'schema_violation', 'humidity: expected a finite number, found the text ""'],
    ['61 %', 'schema_violation', 'humidity: expected a finite number, found the text "61 %"'],
    ['"61"', 'schema_violation', 'humidity: expected a finite number, found the text ""61""'],
  ])('refuses %j', (text, reason, detail) => {
    expect(codec.decode(message(text, on('humidity')))).toEqual({
      outputs: [],
      refusals: [{ reason, detail }],
    });
  });

  it.each([
    ['pressure', {}],
    ['wifi_signal', {}],
    ['uptime', {}],
    ['co2', { unread: ['co2'] }],
  ])('ignores %s, which is no parameter, and lists what is of the air', (name, unread) => {
    expect(codec.decode(message('1', on(name)))).toEqual({
      outputs: [],
      refusals: [],
      ignored: `${name} is no parameter`,
      ...unread,
    });
  });

  it.each(['kitchen', 'no2', '__proto__', 'constructor'])(
    'refuses %s: a bare number under another name has no unit',
    (name) => {
      expect(codec.decode(message('1', on(name)))).toEqual({
        outputs: [],
        refusals: [
          {
            reason: 'unknown_parameter',
            detail: `${name}: expected one of pm25, pm2_5, pm_2_5, pm10, pm_10, pm_10_0, temperature, humidity; rename the sensor or leave it out of the mapping`,
          },
        ],
      });
    },
  );

  it.each([
    ['status_online.txt', 'online'],
    ['status_offline.txt', 'offline'],
  ])('reads %s, birth or will, as %s', (name, state) => {
    expect(codec.decode(message(fixture('esphome', name), { topic: 'udara-01/status' }))).toEqual({
      outputs: [{ kind: 'status', ts: undefined, state }],
      refusals: [],
    });
  });

  it.each([
    [
      'udara-01/debug',
      '[I] ready',
      'topic: expected {prefix}/sensor/{parameter}/state, found the text "udara-01/debug"',
    ],
    ['', '12', 'topic: expected {prefix}/sensor/{parameter}/state, found the text ""'],
  ])('refuses on the topic "%s" what it does not know', (topic, text, detail) => {
    expect(codec.decode(message(text, { topic }))).toEqual({
      outputs: [],
      refusals: [{ reason: 'unreadable', detail }],
    });
  });

  it('keeps a birth or will of another word, and calls the state unknown', () => {
    expect(codec.decode(message('sleeping', { topic: 'udara-01/status' }))).toEqual({
      outputs: [{ kind: 'status', ts: undefined, state: 'unknown', stated: 'sleeping' }],
      refusals: [],
    });
  });
});

it('reads what is measured in a session, mapped as its page says, and refuses nothing of it', () => {
  const { statuses, measured } = measuredInSession(codec, [
    '{device}/sensor/{parameter}/state',
    '{device}/status',
  ]);
  expect(statuses).toContain('online');
  expect(measured).toEqual([{ pm25: 12.4 }, { temperature: 27.1 }]);
});
