import type { Registry } from '#libs/identity';
import { isKept } from '#libs/telemetry';

export interface SeriesFault {
  readonly reason: 'unknown_device' | 'unknown_parameter';
  readonly detail: string;
}

/**
 * Bounds the number of series of the store: every device and every parameter that it gets to see is a known one. Streams
 * are written behind the broker's and the decoder's checks; this holds even if one of those has a hole.
 */
export class SeriesGuard {
  /** Devices are never taken out of the registry, so one look is enough. */
  readonly #known = new Set<string>();

  constructor(private readonly registry: Registry) {}

  /** @returns a function that says why a series of one of the devices may not be; undefined when it may */
  async lookUp(
    devices: readonly string[],
  ): Promise<(device: string, parameter: string) => SeriesFault | undefined> {
    for (const device of devices)
      if (!this.#known.has(device) && (await this.registry.device(device)) !== undefined)
        this.#known.add(device);
    return (device, parameter) => {
      if (!isKept(parameter))
        return {
          reason: 'unknown_parameter',
          detail: `the parameter ${JSON.stringify(parameter)} does not exist`,
        };
      if (!this.#known.has(device))
        return { reason: 'unknown_device', detail: `the device ${JSON.stringify(device)} is not registered` };
      return undefined;
    };
  }
}
