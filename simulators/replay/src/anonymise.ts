import { FILE_BOUNDS, parseJson } from '#libs/kernel';
import { MEASURED_CODES, PAYLOADS, HEARTBEAT_STATES, STATUS_STATES, type TopicKind } from '#libs/telemetry';
import { randomInt } from 'node:crypto';

/**
 * Takes out of messages who sent them: devices and sites get numbers that tell nothing, and of a payload only the members
 * stay that are no words of people: times, counters, known states, measured values. Times and values stay true, so whoever has them
 * from elsewhere can recognise a station by them.
 */
export class Anonymiser {
  readonly #devices: ReadonlyMap<string, string>;
  readonly #sites: ReadonlyMap<string, string>;

  constructor(devices: readonly { readonly id: string; readonly site: string }[]) {
    this.#devices = numbered(
      'perangkat',
      devices.map(({ id }) => id),
    );
    this.#sites = numbered(
      'lokasi',
      devices.map(({ site }) => site),
    );
  }

  device(id: string): string {
    return this.#devices.get(id) ?? 'perangkat';
  }

  site(id: string): string {
    return this.#sites.get(id) ?? 'lokasi';
  }

  /** @returns undefined for a message that cannot be read, or that may hold anything */
  payload(kind: TopicKind, bytes: Uint8Array): Buffer | undefined {
    if (kind === 'event' || kind === 'result') return undefined;
    let message: unknown;
    try {
      message = parseJson(bytes, FILE_BOUNDS);
    } catch {
      return undefined;
    }
    const result = PAYLOADS[kind].safeParse(message);
    if (!result.success) return undefined;
    const kept = Object.entries(result.data).flatMap(([key, value]): [string, unknown][] => {
      if (KEPT.includes(key)) return [[key, value]];
      if (key === 'state' && STATES.includes(value as string)) return [[key, value]];
      if (key !== 'values') return [];
      const measured = Object.entries(value as Record<string, number>).filter(([code]) =>
        (MEASURED_CODES as readonly string[]).includes(code),
      );
      return [[key, Object.fromEntries(measured)]];
    });
    return Buffer.from(JSON.stringify(Object.fromEntries(kept)));
  }
}

const KEPT: readonly string[] = ['ts', 'seq', 'frames', 'lastFrameAt'];
const STATES: readonly string[] = [...HEARTBEAT_STATES, ...STATUS_STATES];

/** Numbers by chance: those of an alphabetical list would tell its order. */
function numbered(word: string, ids: readonly string[]): Map<string, string> {
  const rest = [...new Set(ids)];
  const numbers = new Map<string, string>();
  while (rest.length > 0) {
    const [one = ''] = rest.splice(randomInt(rest.length), 1);
    numbers.set(one, `${word}-${numbers.size + 1}`);
  }
  return numbers;
}
