import type { MeasuredParameter } from '#libs/telemetry';
import { float, payload as sparkplug } from './sparkplug-b/sparkplug.fixture.js';

/** One message, as it is published. */
export interface Published {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** How the messages of a maker tell the sensors of one quantity apart. */
export interface SensorForm {
  readonly parameter: MeasuredParameter;
  /** Topics as a configuration maps them. */
  readonly pattern: string;
  readonly names: readonly string[];
  /** What says the values of these sensors at one instant. */
  say(values: ReadonlyMap<string, number>, ts: number): readonly Published[];
}

const json = (topic: string, body: unknown): Published => ({
  topic,
  payload: Buffer.from(JSON.stringify(body)),
});
const iso = (ts: number): string => new Date(ts).toISOString();
const each = (
  values: ReadonlyMap<string, number>,
  say: (name: string, value: number) => Published | readonly Published[],
): readonly Published[] => [...values].flatMap(([name, value]) => say(name, value));

/** Names of decoders at LoRaWAN servers, of one node and of several behind one name of the topic. */
const DECODED = ['temperature', 'temperature_1', 'temperature_2', 'air_temperature', 'tempc_sht', 'tempc_ds'];

/** Of every codec that reads values of the air; those that read one sensor of each quantity by their format say `one`. */
export const SENSOR_FORMS: Readonly<Record<string, SensorForm | 'one' | 'none'>> = {
  airgradient: 'one',
  purpleair: 'one',
  axis: 'none',
  frigate: 'none',
  tasmota: {
    parameter: 'temperature',
    pattern: 'tele/{device}/SENSOR',
    names: ['Dapur', 'Kulkas', 'BME280', 'SHT3X-44', 'DS18B20-1', 'ANALOG', 'ATCa1b2c3', 'ATC-A4C138000001'],
    say: (values, ts) => [
      json('tele/gw-01/SENSOR', {
        Time: iso(ts),
        ...Object.fromEntries([...values].map(([name, value]) => [name, { Temperature: value }])),
        TempUnit: 'C',
      }),
    ],
  },
  esphome: {
    parameter: 'pm25',
    pattern: '{device}/sensor/{parameter}/state',
    names: ['pm25', 'pm2_5', 'pm_2_5'],
    say: (values) =>
      each(values, (name, value) => ({
        topic: `gw-01/sensor/${name}/state`,
        payload: Buffer.from(String(value)),
      })),
  },
  zigbee2mqtt: {
    parameter: 'temperature',
    pattern: 'zigbee2mqtt/{device}',
    names: ['temperature', 'temperature_l1', 'temperature_l2', 'temperature_2', 'temperature_probe'],
    say: (values, ts) => [json('zigbee2mqtt/gw-01', { last_seen: iso(ts), ...Object.fromEntries(values) })],
  },
  shelly: {
    parameter: 'temperature',
    pattern: '{device}/events/rpc',
    names: ['0', '100', '101'],
    say: (values, ts) => [
      json('gw-01/events/rpc', {
        src: 'shelly-1',
        method: 'NotifyStatus',
        params: {
          ts: ts / 1000,
          ...Object.fromEntries([...values].map(([id, tC]) => [`temperature:${id}`, { tC }])),
        },
      }),
    ],
  },
  'shelly-blu': {
    parameter: 'temperature',
    pattern: 'blu/{device}/{sensor}',
    names: ['7c:c6:b6:00:00:01', '7c:c6:b6:00:00:02'],
    say: (values) =>
      each(values, (address, temperature) => json(`blu/gw-01/${address}`, { address, temperature })),
  },
  ruuvi: {
    parameter: 'temperature',
    pattern: 'ruuvi/{device}/{tag}',
    names: ['F4:1F:0C:28:CB:D6', 'F4:1F:0C:28:CB:D7'],
    say: (values, ts) =>
      each(values, (tag, temperature) => {
        const frame = Buffer.alloc(24, 0xff);
        frame[0] = 5;
        frame.writeInt16BE(Math.round(temperature * 200), 1);
        const data = Buffer.concat([Buffer.from('1bff9904', 'hex'), frame]).toString('hex');
        return json(`ruuvi/gw-01/${tag}`, { data, ts: String(Math.floor(ts / 1000)) });
      }),
  },
  chirpstack: {
    parameter: 'temperature',
    pattern: 'application/{application}/device/{device}/event/{event}',
    names: [...DECODED, 'a1/temperature', 'a2/temperature'],
    say: (values, ts) =>
      lorawan(values, (eui, object) =>
        json('application/7/device/gw-01/event/up', { time: iso(ts), deviceInfo: { devEui: eui }, object }),
      ),
  },
  'the-things-stack': {
    parameter: 'temperature',
    pattern: 'v3/{application}/devices/{device}/up',
    names: [...DECODED, 'a1/temperature', 'a2/temperature'],
    say: (values, ts) =>
      lorawan(values, (id, decoded) =>
        json('v3/app/devices/gw-01/up', {
          end_device_ids: { device_id: id },
          uplink_message: { received_at: iso(ts), decoded_payload: decoded },
        }),
      ),
  },
  senml: {
    parameter: 'temperature',
    pattern: 'senml/{device}',
    names: ['temp', 'temperature', 'urn:a:temperature', 'urn:b:temperature', 'urn:b:temp'],
    say: (values, ts) => [
      json(
        'senml/gw-01',
        [...values].map(([n, v]) => ({ n, v, u: 'Cel', t: ts / 1000 })),
      ),
    ],
  },
  'sparkplug-b': {
    parameter: 'temperature',
    pattern: 'spBv1.0/{group}/{type}/{device}/{sub}',
    names: ['a:Air/Temperature', 'a:Papan/Temperature', 'a:temperature', 'b:Air/Temperature'],
    say: (values) =>
      each(values, (name, value) => {
        const [sub = '', metric = ''] = name.split(':');
        return {
          topic: `spBv1.0/kab/DDATA/gw-01/${sub}`,
          payload: sparkplug([{ name: metric, datatype: 9, unit: '°C', value: float(12, value) }]),
        };
      }),
  },
  fiware: {
    parameter: 'temperature',
    pattern: 'ngsi/{device}',
    names: ['urn:station:1', 'urn:station:2'],
    say: (values, ts) =>
      each(values, (name, temperature) =>
        json('ngsi/gw-01', {
          id: `${name}:${iso(ts)}`,
          type: 'AirQualityObserved',
          dateObserved: iso(ts),
          temperature,
        }),
      ),
  },
  'home-assistant': {
    parameter: 'temperature',
    pattern: 'statestream/sensor/{entity}/{attribute}',
    names: ['teras_suhu', 'papan_suhu'],
    say: (values) =>
      each(values, (entity, value) =>
        (
          [
            ['device_class', '"temperature"'],
            ['unit_of_measurement', '"°C"'],
            ['state', String(value)],
          ] as const
        ).map(([attribute, text]) => ({
          topic: `statestream/sensor/${entity}/${attribute}`,
          payload: Buffer.from(text),
        })),
      ),
  },
  'sensor-community': {
    parameter: 'temperature',
    pattern: 'push/{device}',
    names: ['temperature', 'BME280_temperature', 'SHT3X_temperature', 'DS18B20_temperature'],
    say: (values) => [
      json('push/gw-01', {
        sensordatavalues: [...values].map(([value_type, value]) => ({ value_type, value: String(value) })),
      }),
    ],
  },
};

/** Names as `{node}/{name of the decoder}`; the node that the topic names is `gw-01`. */
function lorawan(
  values: ReadonlyMap<string, number>,
  say: (node: string, decoded: Readonly<Record<string, number>>) => Published,
): readonly Published[] {
  const byNode = new Map<string, Record<string, number>>();
  for (const [name, value] of values) {
    const [node = '', member = ''] = name.includes('/') ? name.split('/') : ['gw-01', name];
    byNode.set(node, { ...byNode.get(node), [member]: value });
  }
  return [...byNode].map(([node, decoded]) => say(node, decoded));
}
