import { DEVICE_SENSORS } from '#namespaces/ingest-state';
import type { StageState } from '#libs/journal-transport';
import { OWN_NAME, sensorNumber } from '#libs/quality-control';
import {
  deviceOfSensor,
  withCounted,
  withRefused,
  type CodecOutput,
  type CodecTelemetry,
  type DeviceSensors,
  type Measured,
  type MeasuredParameter,
  type OtherSensor,
  type Refusal,
  type TopicMapping,
  type Uplink,
} from '#libs/telemetry';
import { holdAt, type BatchDevice, type BatchDevices } from './batch-devices.js';
import { ownerOf, ownerOfId, type Owner } from '../decoding/decode.js';

/** What a message says of one device. */
export interface Part {
  readonly owner: Owner;
  readonly output: CodecOutput;
}

/** A value of a sensor, with the refusal that its codec had for it where another one counts by order. */
type Candidate = Pick<OtherSensor, 'measured'> & Partial<OtherSensor>;

const NONE: DeviceSensors = { counted: {}, refused: [], more: 0 };

/**
 * Never two sensors in one series: each value goes to the device that its sensor is mapped to, or into the series of its
 * device if that is of this sensor. The first that counts makes the series its own, until the operator chooses another one.
 */
export class BatchSensors {
  readonly #known = new Map<string, DeviceSensors>();
  readonly #changed = new Set<string>();

  constructor(
    private readonly state: StageState,
    private readonly devices: BatchDevices,
  ) {}

  /** Whether all values of a device that name no sensor may pass. */
  static passes({ memory, held }: BatchDevice): boolean {
    return !memory.hasOtherSensors && held.registered?.sensors === undefined;
  }

  /** What a message says, by device. @param refusals - gets what is refused of it */
  async parts(
    outputs: readonly CodecOutput[],
    uplink: Uplink,
    mapping: TopicMapping | undefined,
    refusals: Refusal[],
  ): Promise<Part[]> {
    const parts: Part[] = [];
    for (const output of outputs) {
      const { source } = output;
      const owner = source === undefined ? uplink : await ownerOf(source, uplink, mapping, this.devices);
      if ('reason' in owner) {
        refusals.push(owner);
        await this.#notMapped(source ?? '', output, uplink);
      } else if (output.kind === 'telemetry')
        parts.push(...(await this.#telemetry(output, owner, uplink, mapping, refusals)));
      else parts.push({ output, owner });
    }
    return parts;
  }

  /** Hands over what is to be remembered. */
  remember(): void {
    for (const id of this.#changed) this.state.put(DEVICE_SENSORS, id, this.#known.get(id));
  }

  async #telemetry(
    output: CodecTelemetry,
    owner: Owner,
    uplink: Uplink,
    mapping: TopicMapping | undefined,
    refusals: Refusal[],
  ): Promise<Part[]> {
    const { values, others = [], ...rest } = output;
    const own: Candidate[] = [];
    const mapped = new Map<string, Candidate[]>();
    for (const candidate of [...values.map((measured) => ({ measured })), ...others]) {
      const { sensor } = candidate.measured;
      const id = sensor === undefined ? undefined : deviceOfSensor(mapping, owner.device, sensor);
      if (id === undefined || id === owner.device) own.push(candidate);
      else {
        const measured = { ...candidate.measured, sensor: `${owner.device}/${sensor}` };
        mapped.set(id, [...(mapped.get(id) ?? []), { measured }]);
      }
    }
    const parts: Part[] = [];
    const take = async (there: Owner, candidates: readonly Candidate[]): Promise<void> => {
      const device = await this.devices.find(there.device);
      holdAt(device, uplink.receivedAt);
      const counted = await this.#counted(candidates, device, uplink, mapping, refusals);
      if (counted.length > 0) parts.push({ owner: there, output: { ...rest, values: counted } });
    };
    await take(owner, own);
    for (const [id, candidates] of mapped) {
      const there = await ownerOfId(id, id, uplink, this.devices);
      if ('reason' in there) refusals.push(there);
      else await take(there, candidates);
    }
    return parts;
  }

  /** The values that enter the series of a device. */
  async #counted(
    candidates: readonly Candidate[],
    device: BatchDevice,
    { receivedAt }: Uplink,
    mapping: TopicMapping | undefined,
    refusals: Refusal[],
  ): Promise<Measured[]> {
    const byParameter = new Map<MeasuredParameter, Candidate[]>();
    for (const candidate of candidates) {
      const { parameter } = candidate.measured;
      byParameter.set(parameter, [...(byParameter.get(parameter) ?? []), candidate]);
    }
    const counted: Measured[] = [];
    for (const [parameter, rivals] of byParameter) {
      const pick = await this.#pick(parameter, rivals, device, mapping);
      for (const candidate of rivals) {
        const { measured, refusal } = candidate;
        if (candidate === pick) counted.push(measured);
        else {
          const wanted = await this.#wanted(parameter, device);
          refusals.push(
            (pick !== undefined && refusal) ||
              otherSensor(measured, wanted ?? 'the sensor in the air', device.id),
          );
          await this.#refused(device.id, measured, nameOf(measured), false, receivedAt);
        }
      }
      const { memory } = device;
      const number = pick && sensorNumber(parameter, nameOf(pick.measured));
      if (pick === undefined || number === undefined || number === memory.sensor(parameter)) continue;
      memory.setSensor(parameter, number);
      device.hasChanged = true;
      if (number === OWN_NAME && (await this.#of(device.id)).counted[parameter] === undefined) continue;
      this.#set(device.id, withCounted(await this.#of(device.id), parameter, nameOf(pick.measured)));
    }
    return counted;
  }

  async #pick(
    parameter: MeasuredParameter,
    rivals: readonly Candidate[],
    { id, held, memory }: BatchDevice,
    mapping: TopicMapping | undefined,
  ): Promise<Candidate | undefined> {
    const chosen = held.registered?.sensors?.[parameter];
    if (chosen !== undefined) return rivals.find(({ measured }) => nameOf(measured) === chosen);
    const [first] = rivals;
    const number = memory.sensor(parameter);
    // By order the codec put the one that counts first, and none where none counts by itself.
    if (number === 0) return first?.refusal === undefined ? first : undefined;
    const same = rivals.find(({ measured }) => sensorNumber(parameter, nameOf(measured)) === number);
    if (same !== undefined || first === undefined) return same;
    // The operator mapped another name to this device in the place of the one before.
    const before = (await this.#of(id)).counted[parameter];
    const leadsHere = (name: string): boolean => {
      const [housing = '', ...sensor] = name.split('/');
      return [deviceOfSensor(mapping, '', name), deviceOfSensor(mapping, housing, sensor.join('/'))].includes(
        id,
      );
    };
    if (before === undefined || leadsHere(before)) return undefined;
    return rivals.find(({ measured }) => leadsHere(nameOf(measured)));
  }

  /** The sensor that the series of a parameter is of. */
  async #wanted(
    parameter: MeasuredParameter,
    { id, held, memory }: BatchDevice,
  ): Promise<string | undefined> {
    const chosen = held.registered?.sensors?.[parameter] ?? (await this.#of(id)).counted[parameter];
    return chosen ?? (memory.sensor(parameter) === OWN_NAME ? parameter : undefined);
  }

  async #notMapped(source: string, output: CodecOutput, { device, receivedAt }: Uplink): Promise<void> {
    if (output.kind !== 'telemetry') return;
    const { values, others = [] } = output;
    for (const measured of [...values, ...others.map((other) => other.measured)])
      await this.#refused(device, measured, source, true, receivedAt);
  }

  async #refused(
    id: string,
    { parameter, value, unit }: Measured,
    name: string,
    isDevice: boolean,
    at: number,
  ): Promise<void> {
    const sensor = { name: name.slice(0, 100), parameter, isDevice, value, unit };
    this.#set(id, withRefused(await this.#of(id), sensor, at));
  }

  async #of(id: string): Promise<DeviceSensors> {
    let known = this.#known.get(id);
    if (known === undefined)
      this.#known.set(id, (known = (await this.state.get(DEVICE_SENSORS, id)) ?? NONE));
    return known;
  }

  #set(id: string, sensors: DeviceSensors): void {
    this.#known.set(id, sensors);
    this.#changed.add(id);
  }
}

/** A sensor without a name of its own has that of its parameter. */
function nameOf({ sensor, parameter }: Measured): string {
  return sensor ?? parameter;
}

function otherSensor(measured: Measured, wanted: string, device: string): Refusal {
  const { parameter } = measured;
  const detail = `${nameOf(measured)}: expected the ${parameter} of ${wanted.slice(0, 60)}, whose series it is; map this sensor to a device of its own (aliases), or let it count: pantau device sensors ${device}`;
  return { reason: 'other_sensor', detail };
}
