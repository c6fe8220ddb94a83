import type { UtcMillis } from '#libs/kernel';
import type { Instant } from '#libs/timeseries';

/** The newest instant of each device, over all its sites: a flag can stand there and before. Bounded by the devices in the database. */
export class NewestInstants {
  // Objects, because a number that a Map holds would be made anew for every line.
  readonly #byDevice = new Map<string, { ts: UtcMillis }>();
  /** A device that is not among the known ones has nothing from here on. */
  #from: UtcMillis = Infinity;

  /** @param stored - the newest instant of each device that has one at or after `from` */
  begin(from: UtcMillis, stored: readonly Pick<Instant, 'device' | 'ts'>[]): void {
    this.#from = from;
    for (const instant of stored) this.advance(instant);
  }

  /**
   * Takes note of an instant that is about to be written. Before it is known whether the write succeeds, so whatever is written
   * again is not the newest.
   *
   * @returns whether it is newer than all before it
   */
  advance({ device, ts }: Pick<Instant, 'device' | 'ts'>): boolean {
    let newest = this.#byDevice.get(device);
    if (newest === undefined) this.#byDevice.set(device, (newest = { ts: this.#from - 1 }));
    if (ts <= newest.ts) return false;
    newest.ts = ts;
    return true;
  }
}
