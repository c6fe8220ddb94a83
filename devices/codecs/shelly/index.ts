import { isObject } from '#libs/kernel';
import { readJson, type Codec } from '#libs/telemetry';
import {
  Findings,
  ignored,
  readObject,
  refusal,
  refused,
  shown,
  status,
  type Members,
  type Place,
  type Validity,
} from '../reading.js';
import { readEpoch } from '../reading-time.js';
import { ownTime, timeUnder } from '../stated-time.js';
import { StatedUnits } from '../stated-units.js';
import { unreadNumbers } from '../unread.js';

/** Components that measure the air, by their number. `switch:0` has a temperature too: that of the relay. */
const COMPONENT = /^(temperature|humidity):(\d{1,6})$/;
const READ = {
  temperature: ['tC', 'temperature', 'degC'],
  humidity: ['rh', 'humidity', '%'],
} as const;

/**
 * Components that say how the device is and what it switches or feeds, `tF` that is `tC` again, and the frame of a message.
 * Source: Shelly API documentation, "Components and Services".
 */
const OF_THE_DEVICE =
  /^(?:(?:sys|wifi|eth|ble|bthome|bthomedevice|cloud|mqtt|ws|ui|plugs_ui|script|schedule|webhook|kvs|matter|knx|zigbee|modbus|devicepower|switch|cover|light|rgb|rgbw|rgbcct|cct|dali|thermostat|em|emdata|em1|em1data|pm1)(?::\d+)?|tF|ts|src|dst|params)$/;

/** Shelly, second generation and later: `{device}/events/rpc` and `{device}/online`. */
export const codec: Codec = {
  name: 'shelly',
  version: 2,
  decode({ topic, payload }) {
    if (topic.endsWith('/online')) {
      const parsed = readJson(payload);
      if ('refusal' in parsed) return refused(parsed.refusal);
      if (typeof parsed.value === 'boolean') return status(parsed.value ? 'online' : 'offline');
      return refused(
        refusal('schema_violation', 'online', `expected true or false, found ${shown(parsed.value)}`),
      );
    }
    const read = readObject(payload);
    if ('refusal' in read) return refused(read.refusal);
    const method = read.object['method'];
    if (typeof method !== 'string') {
      return refused(
        refusal(
          'schema_violation',
          'method',
          `expected the text NotifyStatus or NotifyFullStatus, found ${shown(method)}`,
        ),
      );
    }
    if (method !== 'NotifyStatus' && method !== 'NotifyFullStatus') {
      return ignored(`${method.slice(0, 40)} is no status`);
    }
    const params = read.object['params'];
    if (!isObject(params)) {
      return refused(refusal('schema_violation', 'params', `expected an object, found ${shown(params)}`));
    }
    const src = read.object['src'];
    if (typeof src !== 'string') {
      return refused(refusal('schema_violation', 'src', `expected the device's id, found ${shown(src)}`));
    }
    const time = timeUnder('ts', params, 'params', (path, found) => readEpoch(path, found, 1000));
    if ('refusal' in time) return refused(time.refusal);
    const findings = new Findings();
    for (const [key, component] of Object.entries(params)) {
      const [, kind, id] = COMPONENT.exec(key) ?? [];
      if (id === undefined || (kind !== 'temperature' && kind !== 'humidity')) continue;
      // Number 0 is built in. Those on an add-on (100 and up) are sensors of their own, which a configuration names.
      const source = id === '0' ? {} : { source: `${src}:${id}` };
      // null is documented for a sensor that cannot be read: refused, so that the fault shows.
      if (isObject(component)) measure(findings, key, kind, component, { ts: time.ts, ...source });
      else
        findings
          .at({ ts: time.ts, ...source })
          .refuse('schema_violation', key, `expected an object, found ${shown(component)}`);
    }
    const unread = [params, read.object].flatMap((members) => unreadNumbers(members, '', OF_THE_DEVICE));
    return findings.result('no sensor of the air in the message', unread);
  },
};

function measure(
  findings: Findings,
  key: string,
  kind: keyof typeof READ,
  component: Members,
  place: Place,
): void {
  const [name, parameter, unit] = READ[kind];
  const own = ownTime(component, key) ?? place;
  if ('refusal' in own) {
    findings.refuse(own.refusal);
    return;
  }
  const stated = new StatedUnits(component).of(name, parameter, unit);
  const validity = validityOf(component);
  findings
    .at({ ...place, ts: own.ts })
    .measure(`${key}.${name}`, component[name], parameter, stated.unit, stated.remedy, validity);
}

/** The errors that Shelly documents for these components; both say that there is no value. */
const NO_VALUE: ReadonlySet<unknown> = new Set(['read', 'out_of_range']);

/** `errors` is there only where there are some. */
function validityOf({ errors }: Members): Validity {
  const stated: readonly unknown[] = Array.isArray(errors) ? errors : [errors ?? undefined];
  const words = stated.filter((error) => error !== undefined);
  if (words.length === 0) return {};
  const named =
    `errors ${words.map((word) => (typeof word === 'string' ? word : shown(word))).join(', ')}`.slice(0, 150);
  return words.some((word) => NO_VALUE.has(word))
    ? { bad: `and the device states ${named}; check the sensor` }
    : { suspect: named };
}
