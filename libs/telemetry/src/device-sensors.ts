import type { UtcMillis } from '#libs/kernel';
import type { Unit } from './codec.js';
import type { MeasuredParameter } from './parameters.js';

/** The sensors that the messages of a device name. */
export interface DeviceSensors {
  /** Of which sensor the series of a parameter is, where it has a name of its own. */
  readonly counted: Partial<Readonly<Record<MeasuredParameter, string>>>;
  /** Sensors whose values are refused. */
  readonly refused: readonly RefusedSensor[];
  /** Values of still others, beyond the bound of a device. */
  readonly more: number;
}

export interface RefusedSensor {
  readonly name: string;
  readonly parameter: MeasuredParameter;
  /** Whether it is a device of its own that nobody mapped; otherwise a sensor beside the one that counts. */
  readonly isDevice: boolean;
  readonly count: number;
  readonly firstAt: UtcMillis;
  readonly lastAt: UtcMillis;
  /** The newest value, in the unit that was stated. */
  readonly value: number;
  readonly unit: Unit;
}

/** A device chooses the names: they may not fill the state. */
const MOST_REFUSED = 50;

/** Counts a refused value. */
export function withRefused(
  { counted, refused, more }: DeviceSensors,
  sensor: Pick<RefusedSensor, 'name' | 'parameter' | 'isDevice' | 'value' | 'unit'>,
  at: UtcMillis,
): DeviceSensors {
  const i = refused.findIndex(
    ({ name, parameter }) => name === sensor.name && parameter === sensor.parameter,
  );
  const before = refused[i];
  if (before === undefined && refused.length >= MOST_REFUSED) return { counted, refused, more: more + 1 };
  const entry: RefusedSensor = {
    ...sensor,
    count: (before?.count ?? 0) + 1,
    firstAt: before?.firstAt ?? at,
    lastAt: Math.max(at, before?.lastAt ?? 0),
  };
  return { counted, refused: before === undefined ? [...refused, entry] : refused.with(i, entry), more };
}

/** The sensor counts for a parameter from now on: it is refused no longer. */
export function withCounted(
  { counted, refused, more }: DeviceSensors,
  parameter: MeasuredParameter,
  name: string,
): DeviceSensors {
  return {
    counted: { ...counted, [parameter]: name },
    refused: refused.filter((other) => other.name !== name || other.parameter !== parameter),
    more,
  };
}

/** What lets the values of a refused sensor be taken, as lines to be copied: into `pantau.yaml`, or as a command. */
export function remediesOf(
  device: string,
  { name, parameter, isDevice }: RefusedSensor,
): { readonly alias: string; readonly add: string; readonly count?: string } {
  const key = isDevice ? name.toLowerCase() : `${device}/${name.toLowerCase()}`;
  const id = key
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(-63)
    .replace(/^-/, '');
  return {
    alias: `aliases: { ${JSON.stringify(key)}: ${id} }`,
    add: `npm run -s pantau -- device sensors ${device} --map ${id}`,
    ...(isDevice
      ? {}
      : {
          count: `npm run -s pantau -- device sensors ${device} --counts '${parameter}=${name.replaceAll("'", "'\\''")}'`,
        }),
  };
}
