import type { CodecResult } from '#libs/telemetry';
import { readDecoded } from './lorawan.js';

const TS = Date.UTC(2026, 0, 2, 3);
const read = (decoded: object): CodecResult => readDecoded(decoded as never, 'object', { ts: TS }, []);

describe('what a decoder at a LoRaWAN server says of its own work', () => {
  // `data: { error: "Payload too short" }`, as payload formatters write it beside the list of TS013.
  it.each([
    [{ error: 'Payload too short' }, 'Payload too short'],
    [{ errors: ['invalid FPort', 'no data'] }, 'invalid FPort; no data'],
    [{ warnings: ['unknown channel'], battery: 90 }, 'unknown channel'],
    [{ decoder_error: 'bad CRC' }, 'bad CRC'],
    [{ error: 7 }, 'error 7'],
    [{ error: true }, 'error true'],
  ])('refuses an uplink of which it gave no value, in its own words: %j', (decoded, words) => {
    expect(read(decoded)).toMatchObject({
      outputs: [],
      refusals: [
        { reason: 'unreadable', detail: `object: expected decoded values, the decoder gave up: ${words}` },
      ],
    });
  });

  it('makes the values beside it suspect', () => {
    expect(read({ temperature: 25, error: 'SHT read failed' }).outputs).toMatchObject([
      { values: [{ value: 25, suspect: 'the decoder: SHT read failed' }] },
    ]);
  });

  it.each([
    { error: '' },
    { errors: [] },
    { error: 0 },
    { error: false },
    { error: null },
    { warning: 'none' },
  ])('takes %j for no fault', (more) => {
    const [output] = read({ temperature: 25, ...more }).outputs;
    expect(output).toMatchObject({ values: [{ value: 25 }] });
    expect(output).not.toMatchObject({ values: [{ suspect: expect.anything() }] });
  });
});

describe('a number that a decoder gives as text', () => {
  // Seeed-Solution/TTN-Payload-Decoder#2: below zero, and only there, the maker's decoder gave "-1.6".
  it('is read where it is an exact decimal', () => {
    expect(read({ temperature: '-1.6', humidity: '60', pm2_5: ' 12.50 ' })).toMatchObject({
      outputs: [{ values: [{ value: -1.6 }, { value: 60 }, { value: 12.5 }] }],
      refusals: [],
    });
  });

  it.each(['1,5', '0x10', '12 ug/m3', '1e', ''])('is refused by name where it is none: "%s"', (text) => {
    expect(read({ pm2_5: text })).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'schema_violation', detail: expect.stringContaining('object.pm2_5') }],
    });
  });

  it('does not vanish under a name that is not read', () => {
    expect(read({ soil: '25.4' })).toMatchObject({
      refusals: [{ reason: 'unknown_parameter', detail: expect.stringContaining('object.soil') }],
    });
  });
});

describe('numbers in a list that are not read', () => {
  it('are listed once, whatever their position: a device has room for 200 names', () => {
    const history = Array.from({ length: 300 }, (_, i) => ({
      timestamp: 1767322000 + i * 600,
      temperature: 25,
      co2: i,
      gases: [{ voc: i }],
    }));
    expect(read({ history, levels: [1, 2], 'pm1.0': 3, soil: 7 }).unread).toEqual([
      'object.history.*.co2',
      'object.history.*.gases.*.voc',
      'object.levels.*',
      'object.pm1.0',
      'object.soil',
    ]);
    expect(read({ list: [{ soil: 1 }, { soil: 2 }] }).refusals).toMatchObject([
      { reason: 'unknown_parameter', detail: expect.stringMatching(/^object\.list\.\*\.soil:/) },
    ]);
  });

  it('stay listed beside one of their name that is read', () => {
    const history = [{ timestamp: 1767322000, temperature: 25 }, { depth: { temperature: 4 } }];
    expect(read({ history }).unread).toEqual(['object.history.*.depth.temperature']);
  });
});

describe('a time that a decoder states', () => {
  it.each([
    [{ timestamp: 1767322000 }, 1767322000000],
    [{ time: 1767322000500 }, 1767322000500],
    [{ ts: '2026-01-02T09:30:00+07:00' }, Date.UTC(2026, 0, 2, 2, 30)],
    [{ timestamp: null }, TS],
  ])('is that of its values: %j', (more, ts) => {
    expect(read({ temperature: 25, ...more }).outputs).toMatchObject([{ ts }]);
  });

  it.each([
    { time: 12, timestamp: 1767322000 },
    { timestamp: 1767322000, time: 12 },
    { ts: 1767329999, timestamp: 1767322000 },
    { measured_at: '2026-01-02T05:00:00Z', ts: 1767322000 },
    { timestamp: '2026-01-02 09:30:00', ts: 1767322000 },
    { timeStamp: 1767329999, time_stamp: 'today', TimeStamp: 1767322000 },
  ])('is the first that is one, in an order of the names and not of the members: %j', (more) => {
    const at = [{ ts: 1767322000000 }];
    expect(read({ temperature: 25, ...more })).toMatchObject({ outputs: at, refusals: [] });
    const backwards = Object.fromEntries(Object.entries(more).reverse());
    expect(read({ temperature: 25, ...backwards })).toMatchObject({ outputs: at, refusals: [] });
    expect(read({ history: [{ temperature: 25, ...more }] })).toMatchObject({ outputs: at, refusals: [] });
  });

  it('is refused under the first name where none is an instant', () => {
    expect(read({ temperature: 25, time: 'today', timestamp: 'now' })).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'schema_violation', detail: expect.stringContaining('object.timestamp:') }],
    });
  });

  it.each([{ timestamp: '2026-01-02 09:30:00' }, { timestamp: 'today' }, { time: 12 }])(
    'is refused where it is no instant; the arrival does not stand in: %j',
    (more) => {
      expect(read({ temperature: 25, ...more })).toMatchObject({
        outputs: [],
        refusals: [{ reason: 'schema_violation', detail: expect.stringContaining('object.t') }],
      });
    },
  );
});
