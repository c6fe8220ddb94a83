import type { Parameter, Rollup } from '#libs/telemetry';
import type { Instant, Point } from '#libs/timeseries';
import { escape } from '@influxdata/influxdb-client';
import { ROLLUP_NAMES } from './influx-layout.js';
import type { Place } from './influx-options.js';
import { fieldOf } from './influx-readings.js';

type Series = Pick<Point, 'device' | 'site'>;

interface Head {
  readonly site: string;
  readonly text: string;
}

/** How one measurement is written in the line protocol. */
export class LineFormat<L extends Instant> {
  /** What a line begins with, escaped once a series, by device; bounded by the registry. */
  readonly #heads = new Map<string, Head>();

  constructor(
    readonly place: Place,
    private readonly measurement: string,
    private readonly fieldsOf: (line: L) => string,
  ) {}

  /** What no escaping can write into a tag. */
  tagFaultOf(series: Series): string | undefined {
    // A series that has a head was looked at before.
    return this.#known(series) === undefined ? tagFaultOf(series) : undefined;
  }

  block(lines: readonly L[]): string {
    return lines.map((line) => `${this.#headOf(line)} ${this.fieldsOf(line)} ${line.ts}`).join('\n');
  }

  #headOf(series: Series): string {
    const known = this.#known(series);
    if (known !== undefined) return known;
    const { site, device } = series;
    const text = `${this.measurement},device=${escape.tag(device)},site=${escape.tag(site)}`;
    this.#heads.set(device, { site, text });
    return text;
  }

  #known({ site, device }: Series): string | undefined {
    const known = this.#heads.get(device);
    return known?.site === site ? known.text : undefined;
  }
}

/** A figure that is null is left out; an earlier one may stay, and a count of 0 beside it says that it does not count. */
export function rollupFields({ readings }: Instant<Rollup>): string {
  const fields = readings.flatMap((rollup) =>
    ROLLUP_NAMES.names.flatMap((name) => {
      const figure = rollup[name];
      return figure === null || figure === undefined ? [] : [`${fieldOf(rollup.parameter, name)}=${figure}`];
    }),
  );
  return fields.join(',');
}

/**
 * The lines of a device together, each device's in the order that they have: InfluxDB looks a field of a series up, and writes its
 * name into the log, once a request.
 */
export function bySeries<L extends Instant>(lines: readonly L[]): readonly L[] {
  const byDevice = new Map<string, L[]>();
  for (const line of lines) {
    const before = byDevice.get(line.device);
    if (before === undefined) byDevice.set(line.device, [line]);
    else before.push(line);
  }
  return [...byDevice.values()].flat();
}

export function halves<T extends { readonly ts: number }>(lines: readonly T[]): T[][] {
  const inOrder = lines.toSorted((a, b) => a.ts - b.ts);
  const half = Math.ceil(lines.length / 2);
  return [inOrder.slice(0, half), inOrder.slice(half)];
}

/** The same lines for each parameter alone. */
export function byParameter<L extends Instant>(lines: readonly L[]): L[][] {
  const parts = new Map<Parameter, L[]>();
  for (const line of lines) {
    for (const reading of line.readings) {
      const part = parts.get(reading.parameter) ?? [];
      part.push({ ...line, readings: [reading] });
      parts.set(reading.parameter, part);
    }
  }
  return [...parts.values()];
}

function tagFaultOf({ device, site }: Series): string | undefined {
  // A backslash at the end would swallow the separator and join two tags into one.
  const bad = [device, site].find((tag) => tag === '' || tag.endsWith('\\') || /[\n\r]/.test(tag));
  return bad === undefined ? undefined : `InfluxDB cannot hold the tag ${JSON.stringify(bad)}`;
}
