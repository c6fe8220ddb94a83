import { HOUR } from '#libs/kernel';
import { describeCodecContract, fixture, message, unnamed, measuredInSession } from '../codec.contract.js';
import { codec as named } from './index.js';

const codec = unnamed(named);

const SDS = fixture('tasmota', 'SENSOR_sds0x1.json');
const BME = fixture('tasmota', 'SENSOR_bme680.json');
const WIB = 7 * HOUR;
const AT = '2026-01-02T10:04:00';
const AT_WIB = Date.UTC(2026, 0, 2, 3, 4);

describeCodecContract(codec, {
  inputs: [{ topic: 'tele/sds011-2f8183/SENSOR', parts: { device: 'sds011-2f8183' } }],
  samples: [SDS, BME, fixture('tasmota', 'LWT_online.txt')],
});

describe('tasmota', () => {
  it('reads the particles of a real SDS0X1, in local time with the offset of the configuration', () => {
    const { Time, SDS0X1 } = JSON.parse(SDS.toString()) as {
      Time: string;
      SDS0X1: Record<string, number>;
    };
    expect(codec.decode(message(SDS, { utcOffsetMs: WIB }))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: Date.parse(`${Time}+07:00`),
          values: [
            { parameter: 'pm25', value: SDS0X1['PM2.5'], unit: 'ug/m3' },
            { parameter: 'pm10', value: SDS0X1['PM10'], unit: 'ug/m3' },
          ],
        },
      ],
      refusals: [],
    });
  });

  it('reads climate and pressure of a real BME680 in the units that it states', () => {
    const { BME680 } = JSON.parse(BME.toString()) as { BME680: Record<string, number> };
    expect(codec.decode(message(BME))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: undefined,
          values: [
            { parameter: 'temperature', value: BME680['Temperature'], unit: 'degC' },
            { parameter: 'humidity', value: BME680['Humidity'], unit: '%' },
          ],
          conditions: { pressureHpa: BME680['Pressure'] },
        },
      ],
      refusals: [],
      unread: ['BME680.DewPoint', 'BME680.Gas'],
    });
  });

  it('reads several sensors of one device as one message', () => {
    expect(
      codec.decode(
        message(
          {
            Time: AT,
            SPS30: { PM1_0: 9.1, PM2_5: 18.4, PM4_0: 25, PM10: 31.2 },
            BME280: { Temperature: 81.1, Humidity: 74, Pressure: 760 },
            ESP32: { Temperature: 127.4 },
            PressureUnit: 'mmHg',
            TempUnit: 'F',
          },
          { utcOffsetMs: WIB },
        ),
      ),
    ).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: AT_WIB,
          values: [
            { parameter: 'pm25', value: 18.4, unit: 'ug/m3' },
            { parameter: 'pm10', value: 31.2, unit: 'ug/m3' },
            { parameter: 'temperature', value: 81.1, unit: 'degF' },
            { parameter: 'humidity', value: 74, unit: '%' },
          ],
          conditions: { pressureHpa: expect.closeTo(1013.25, 3) },
        },
      ],
      refusals: [],
      unread: ['SPS30.PM1_0', 'SPS30.PM4_0'],
    });
  });

  it('converts inches of mercury', () => {
    const payload = { B: { Humidity: 1, Pressure: 29.92 }, PressureUnit: 'inHg' };
    expect(codec.decode(message(payload)).outputs).toMatchObject([
      { conditions: { pressureHpa: expect.closeTo(1013.21, 1) } },
    ]);
  });

  it('never guesses a unit', () => {
    const sensors = { BME280: { Temperature: 27.3, Humidity: 74, Pressure: 1009 } };
    const units = { TempUnit: 'K', PressureUnit: 'psi' };
    const humidity = [
      { kind: 'telemetry', ts: undefined, values: [{ parameter: 'humidity', value: 74, unit: '%' }] },
    ];
    expect(codec.decode(message({ ...sensors, ...units }))).toEqual({
      outputs: humidity,
      refusals: [
        {
          reason: 'unknown_unit',
          detail: 'BME280.Temperature: expected TempUnit C or F, found the text "K"',
        },
        {
          reason: 'unknown_unit',
          detail: 'BME280.Pressure: expected PressureUnit hPa, mmHg or inHg, found the text "psi"',
        },
      ],
    });
    expect(codec.decode(message(sensors))).toMatchObject({
      outputs: humidity,
      refusals: [{ reason: 'unknown_unit' }, { reason: 'unknown_unit' }],
    });
  });

  it.each([
    ['local, with the offset of the configuration', AT, WIB, AT_WIB],
    ['local, without it: no instant', AT, undefined, undefined],
    ['with an offset (SetOption52): it counts', `${AT}+08:00`, WIB, AT_WIB - HOUR],
    ['absent', undefined, WIB, undefined],
  ])('takes a time that is %s', (_name, Time, utcOffsetMs, ts) => {
    const payload = { Time, SDS0X1: { 'PM2.5': 2.1 } };
    expect(codec.decode(message(payload, { utcOffsetMs })).outputs).toMatchObject([{ ts }]);
  });

  it('refuses a message whose date does not exist', () => {
    const payload = { Time: '2026-02-30T10:04:00', SDS0X1: { 'PM2.5': 2.1 } };
    expect(codec.decode(message(payload, { utcOffsetMs: WIB }))).toEqual({
      outputs: [],
      refusals: [
        {
          reason: 'schema_violation',
          detail:
            'Time: expected an existing date and time such as 2026-01-31T23:59:59+07:00, found the text "2026-02-30T10:04:00"',
        },
      ],
    });
  });

  it('refuses null, which Tasmota writes for a sensor that does not answer, and keeps the others', () => {
    const payload = { Time: AT, AM2301: { Temperature: null, Humidity: 61 }, TempUnit: 'C' };
    expect(codec.decode(message(payload))).toEqual({
      outputs: [
        { kind: 'telemetry', ts: undefined, values: [{ parameter: 'humidity', value: 61, unit: '%' }] },
      ],
      refusals: [
        {
          reason: 'schema_violation',
          detail: 'AM2301.Temperature: expected a finite number, found null',
        },
      ],
    });
  });

  it('sets a second sensor for a parameter aside by its name', () => {
    const payload = { 'DS18B20-1': { Temperature: 20 }, 'DS18B20-2': { Temperature: 30 }, TempUnit: 'C' };
    const result = codec.decode(message(payload));
    expect(result.outputs).toMatchObject([{ values: [{ value: 20 }] }]);
    expect(result.outputs).toMatchObject([
      {
        others: [
          {
            measured: { value: 30, sensor: 'DS18B20-2' },
            refusal: { detail: expect.stringContaining('DS18B20-2.Temperature: expected one temperature') },
          },
        ],
      },
    ]);
  });

  it.each([
    ['LWT_online.txt', 'online'],
    ['LWT_offline.txt', 'offline'],
  ])('reads %s as %s', (name, state) => {
    expect(codec.decode(message(fixture('tasmota', name)))).toEqual({
      outputs: [{ kind: 'status', ts: undefined, state }],
      refusals: [],
    });
  });

  it.each(['STATE.json', 'INFO1.json', 'INFO3_restart.json', 'ha_discovery_pm25.json'])(
    'ignores %s',
    (name) => {
      expect(codec.decode(message(fixture('tasmota', name)))).toEqual({
        outputs: [],
        refusals: [],
        ignored: 'no sensor of the air in the message',
      });
    },
  );

  it('ignores the temperature of the chip', () => {
    expect(codec.decode(message({ ESP32: { Temperature: 53.3 }, TempUnit: 'C' })).ignored).toBeDefined();
  });

  it('keeps the sensors of a Bluetooth gateway apart, each under the name of its block', () => {
    const messages = JSON.parse(fixture('tasmota', 'ble-gateway.json').toString()) as unknown[];
    expect(messages.flatMap((each) => codec.decode(message(each)).outputs)).toMatchObject([
      { source: 'MJ_HT_V1-000001', values: [{ value: 23.6 }, { value: 54.7 }] },
      { source: 'CGD1-000002', values: [{ value: 31.7 }, { value: 88.5 }] },
      { source: 'LYWSD02-000003', values: [{ value: 4.8 }] },
    ]);
  });

  it.each([false, true])(
    'prefers the sensor in the air to the one on the board, in any order: %p',
    (reversed) => {
      const body = JSON.parse(fixture('tasmota', 'analog-first.json').toString()) as object;
      const entries = Object.entries(body);
      const payload = Object.fromEntries(reversed ? entries.toReversed() : entries);
      const { outputs, refusals } = codec.decode(message(payload));
      expect(outputs).toMatchObject([
        {
          values: [
            { parameter: 'temperature', value: 27.3 },
            { parameter: 'humidity', value: 81.2 },
          ],
        },
      ]);
      expect(outputs[0]).not.toHaveProperty('source');
      expect(refusals).toEqual([]);
      expect(outputs).toMatchObject([
        {
          others: [
            {
              refusal: {
                reason: 'other_sensor',
                detail: expect.stringMatching(/^ANALOG\.Temperature: .*that of BME280\.Temperature/),
              },
            },
          ],
        },
      ]);
    },
  );

  it('keeps the sensors of a Zigbee gateway apart, each under its own name', () => {
    const heard = (address: string, more: object): object => ({
      ZbReceived: { [address]: { Device: address, Humidity: 61, Endpoint: 1, LinkQuality: 98, ...more } },
    });
    expect(
      [heard('0x4773', { Name: 'Kulkas' }), heard('0x4774', {})].flatMap(
        (body) => codec.decode(message(body)).outputs,
      ),
    ).toMatchObject([{ source: 'Kulkas' }, { source: '0x4774' }]);
  });

  it.each(['ATCa1b2c3', 'ATC-A4C138000001', 'LYWSD03-1a2b3c'])(
    'takes the block %s for a device of its own',
    (block) => {
      const body = { [block]: { Humidity: 61 } };
      expect(codec.decode(message(body)).outputs).toMatchObject([{ source: block }]);
    },
  );

  it.each(['HDC1080', 'BME280-76', 'DS18B20-1', 'EMC2101'])(
    'takes the block %s for a sensor of the housing',
    (block) => {
      const [output] = named.decode(message({ [block]: { Humidity: 61 } })).outputs;
      expect(output).toMatchObject({ values: [{ sensor: block }] });
      expect(output).not.toHaveProperty('source');
    },
  );

  it('takes an analog sensor where no other one is there', () => {
    const payload = { Time: '2026-01-02T03:04:05Z', ANALOG: { Temperature: 27.1 }, TempUnit: 'C' };
    expect(codec.decode(message(payload)).outputs).toMatchObject([{ values: [{ value: 27.1 }] }]);
  });
});

it('reads what is measured in a session, mapped as its page says, and refuses nothing of it', () => {
  const { statuses, measured } = measuredInSession(codec, ['tele/{device}/SENSOR', 'tele/{device}/LWT']);
  expect(statuses).toContain('online');
  expect(measured).toEqual([{ pm25: 18.4, pm10: 31.2 }]);
});
