import type { UtcMillis } from '#libs/kernel';
import { z } from 'zod';
import type { SimulatedMessage } from '#simulators/devices';
import type { SimulatedDevice } from './fleet.js';
import type { Scenario } from './scenario.js';
import { PROGRAMME_KINDS, type AlertExpectation } from './schema.js';

const instant = z.iso.datetime().describe('UTC');
const values = z.record(z.string(), z.number());
const device = z.string();

/** One line of a truth file (JSON Lines). Instants are true time, but for `ts`, which is what the device's clock said. */
export const truthSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('scenario'),
    version: z.literal(1),
    name: z.string(),
    seed: z.int(),
    from: instant,
    to: instant,
  }),
  z.strictObject({
    type: z.literal('device'),
    device,
    site: z.string(),
    kind: z.enum(['air', 'camera', ...PROGRAMME_KINDS]),
    intervalMs: z.int(),
  }),
  z
    .strictObject({
      type: z.literal('fault'),
      device,
      kind: z.string(),
      parameter: z.string().optional(),
      from: instant,
      to: instant,
    })
    .describe('An injected fault'),
  z
    .strictObject({
      type: z.literal('state'),
      device,
      state: z.enum(['up', 'down', 'frozen']),
      cause: z.string().optional(),
      from: instant,
      to: instant,
    })
    .describe(
      'What a camera truly gave, or whether a service truly answered; the spans of a device have no gaps',
    ),
  z
    .strictObject({
      type: z.literal('message'),
      device,
      ts: instant.describe("What the device's clock said; `ts` of the payload"),
      at: instant.describe('When it was truly measured'),
      repeat: z.literal(true).optional().describe('A message that is sent again, byte for byte'),
      truth: values.optional().describe('True values by parameter'),
      faults: z
        .record(z.string(), z.string())
        .optional()
        .describe('Parameters that a fault falsified, and which'),
    })
    .describe('A message that was sent'),
  z
    .strictObject({
      type: z.literal('exceedance'),
      rule: z.string(),
      device,
      parameter: z.string(),
      from: instant,
      to: instant,
    })
    .describe('The true values were at or above the level of a rule for as long as the rule asks'),
  z
    .strictObject({ type: z.literal('end'), messages: z.int(), complete: z.boolean() })
    .describe('The last line; `complete` is false when the run was ended before the scenario'),
]);
export type TruthRecord = z.output<typeof truthSchema>;

const iso = (at: UtcMillis): string => new Date(at).toISOString();

/** What is true before anything is sent: the fleet, its faults, and the states of its cameras. */
export function* truthBefore(
  { name, file, from, to, devices }: Scenario,
  seed = file.seed,
): Generator<TruthRecord> {
  yield { type: 'scenario', version: 1, name, seed, from: iso(from), to: iso(to) };
  for (const { id, site, kind, intervalMs } of devices)
    yield { type: 'device', device: id, site, kind, intervalMs };
  for (const { id, faults } of devices)
    for (const fault of faults)
      yield {
        type: 'fault',
        device: id,
        kind: fault.kind,
        ...('parameter' in fault && fault.parameter !== undefined ? { parameter: fault.parameter } : {}),
        from: iso(fault.from),
        to: iso(fault.to),
      };
  for (const simulated of devices)
    for (const { state, cause, from: begin, to: end } of simulated.states())
      yield {
        type: 'state',
        device: simulated.id,
        state,
        ...(cause === undefined ? {} : { cause }),
        from: iso(begin),
        to: iso(end),
      };
}

export function truthOfMessage({ id }: SimulatedDevice, message: SimulatedMessage): TruthRecord {
  const { truth, faults } = message;
  return {
    type: 'message',
    device: id,
    ts: iso(message.statedAt),
    at: iso(message.at),
    ...(message.isRepeat ? { repeat: true as const } : {}),
    ...(Object.keys(truth).length > 0 ? { truth } : {}),
    ...(Object.keys(faults).length > 0 ? { faults } : {}),
  };
}

/**
 * Finds when the true air exceeds the levels that a scenario speaks of. Written from the words of the rules' documentation and
 * not from Pantau's code, so that a mistake there shows.
 */
export class Exceedances {
  readonly #levels: readonly AlertExpectation[];
  readonly #open = new Map<string, { readonly since: UtcMillis; last: UtcMillis }>();

  constructor(levels: readonly AlertExpectation[]) {
    this.#levels = levels;
  }

  /** Takes the true values of an instant in. @returns those that ended with it */
  add(device: string, at: UtcMillis, truth: Readonly<Record<string, number>>): TruthRecord[] {
    const ended: TruthRecord[] = [];
    for (const level of this.#levels) {
      const value = truth[level.parameter];
      if (value === undefined) continue;
      const key = `${level.rule}/${device}`;
      const open = this.#open.get(key);
      if (open === undefined) {
        if (value >= level.raise) this.#open.set(key, { since: at, last: at });
      } else if (value < level.clear) {
        this.#open.delete(key);
        ended.push(...exceedance(level, device, open.since, at));
      } else open.last = at;
    }
    return ended;
  }

  /** Those that last to the end. */
  end(): TruthRecord[] {
    const ended: TruthRecord[] = [];
    for (const [key, { since, last }] of this.#open) {
      const [rule = '', device = ''] = key.split('/');
      const level = this.#levels.find((candidate) => candidate.rule === rule);
      if (level !== undefined) ended.push(...exceedance(level, device, since, last));
    }
    this.#open.clear();
    return ended;
  }
}

function exceedance(level: AlertExpectation, device: string, from: UtcMillis, to: UtcMillis): TruthRecord[] {
  const { rule, parameter } = level;
  if (to - from < level.for) return [];
  return [{ type: 'exceedance', rule, device, parameter, from: iso(from), to: iso(to) }];
}

/** JSON Schema of a line of a truth file. */
export function truthJsonSchema(): object {
  return { title: 'Line of a truth file of pantau simulate', ...z.toJSONSchema(truthSchema) };
}
