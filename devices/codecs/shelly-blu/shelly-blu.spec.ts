import { describeCodecContract, message } from '../codec.contract.js';
import { codec } from './index.js';

const TOPIC = 'shelly-blu/events/7c:c6:b6:00:00:01';
const HT = {
  encryption: false,
  BTHome_version: 2,
  pid: 56,
  battery: 89,
  humidity: 71,
  temperature: 27.4,
  rssi: -71,
  address: '7c:c6:b6:00:00:01',
};
const decode = (payload: unknown, parts = {}): ReturnType<typeof codec.decode> =>
  codec.decode(message(payload, { topic: TOPIC, parts }));

describeCodecContract(codec, {
  inputs: [{ topic: TOPIC, parts: { device: 'x' } }, { topic: TOPIC }, {}],
  samples: [Buffer.from(JSON.stringify(HT))],
});

describe('shelly-blu', () => {
  it('reads temperature and humidity of a BLU H&T, under its address where the topic does not name it', () => {
    const values = [
      { parameter: 'temperature', value: 27.4, unit: 'degC' },
      { parameter: 'humidity', value: 71, unit: '%' },
    ];
    expect(decode(HT, { device: HT.address })).toEqual({
      outputs: [{ kind: 'telemetry', ts: undefined, values }],
      refusals: [],
    });
    expect(decode(HT).outputs).toMatchObject([{ source: '7c:c6:b6:00:00:01' }]);
  });

  it('has nothing to keep of a door or a button', () => {
    expect(decode({ ...HT, temperature: undefined, humidity: undefined, window: 1 }).ignored).toContain(
      'no value',
    );
  });

  it('refuses what is encrypted, and two sensors of one kind', () => {
    expect(decode({ encryption: true, address: HT.address }).refusals).toMatchObject([
      { reason: 'unreadable' },
    ]);
    expect(decode({ ...HT, temperature: [27.4, 31] })).toMatchObject({
      outputs: [{ values: [{ parameter: 'humidity' }] }],
      refusals: [
        { reason: 'schema_violation', detail: expect.stringContaining('temperature: expected one sensor') },
      ],
    });
  });
});
