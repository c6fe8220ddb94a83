import type { UtcMillis } from '#libs/kernel';
import { namedRandom } from '#simulators/air';
import type { LinkProxy } from '#simulators/link';
import type { Scenario } from './scenario.js';
import type { LinkEntry } from './schema.js';

interface Happening {
  readonly at: UtcMillis;
  readonly apply: (proxy: LinkProxy) => void;
}

/** What happens to the link of a site in the course of a scenario. */
export class LinkWeather {
  readonly #proxy: LinkProxy;
  readonly #happenings: Happening[];

  constructor({ file, from, to, devices }: Scenario, site: string, proxy: LinkProxy) {
    this.#proxy = proxy;
    const entries = file.links.filter((link) => link.site === site);
    const cuts = devices
      .filter((device) => device.site === site)
      .flatMap(({ faults }) => faults.filter(({ kind }) => kind === 'link'));
    this.#happenings = [
      ...entries.flatMap((entry, i) => happeningsOf(entry, `${site}/${i}`, file.seed, from, to)),
      // A link that is cut for the whole site goes down; one device's own cut is that of its radio.
      ...siteCuts(cuts, devices.filter((device) => device.site === site).length),
    ].sort((a, b) => a.at - b.at);
  }

  /** Lets everything happen that is due by an instant. */
  passTo(at: UtcMillis): void {
    while ((this.#happenings[0]?.at ?? Infinity) <= at) this.#happenings.shift()?.apply(this.#proxy);
  }

  /** The scenario is over: what was sent on a bad link is acknowledged on a good one. */
  over(): void {
    this.#happenings.length = 0;
    this.#proxy.set({});
    this.#proxy.up();
  }
}

function happeningsOf(
  entry: LinkEntry,
  name: string,
  seed: number,
  from: UtcMillis,
  to: UtcMillis,
): Happening[] {
  const begin = from + entry.from;
  const end = entry.for === undefined ? to : begin + entry.for;
  const { delay: delayMs, jitter: jitterMs, bytesPerSecond = Infinity } = entry;
  const happenings: Happening[] = [
    { at: begin, apply: (proxy) => proxy.set({ delayMs, jitterMs, bytesPerSecond }) },
    { at: end, apply: (proxy) => proxy.set({}) },
  ];
  for (const [mean, apply] of [
    [entry.cutEvery, (proxy: LinkProxy) => proxy.cut()],
    [entry.halfOpenEvery, (proxy: LinkProxy) => proxy.halfOpen()],
  ] as const) {
    if (mean === undefined) continue;
    const random = namedRandom(seed, `link/${name}/${mean}`);
    for (let at = begin; ;) {
      at -= mean * Math.log(1 - random());
      if (at >= end) break;
      happenings.push({ at: Math.round(at), apply });
    }
  }
  return happenings;
}

function siteCuts(
  cuts: readonly { readonly from: UtcMillis; readonly to: UtcMillis }[],
  devices: number,
): Happening[] {
  const happenings: Happening[] = [];
  for (const { from, to } of new Map(cuts.map((cut) => [`${cut.from}/${cut.to}`, cut])).values()) {
    if (cuts.filter((cut) => cut.from === from && cut.to === to).length < devices) continue;
    happenings.push({ at: from, apply: (proxy) => proxy.down() }, { at: to, apply: (proxy) => proxy.up() });
  }
  return happenings;
}
