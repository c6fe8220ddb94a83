import {
  appliesTo,
  atOnce,
  INACTIVE,
  ruleText,
  thresholdSteps,
  type AlertEvent,
  type AlertReading,
  type AlertTransition,
  type ThresholdRule,
} from '#libs/alerting';
import type { Registry } from '#libs/identity';
import type { NewEntry } from '#libs/journal';
import { FromStream, type Batch, type BatchContext } from '#libs/journal-transport';
import { KeyedRows, type Millis } from '#libs/kernel';
import { judgementOf, markOf } from '#libs/quality-control';
import type { Observation, Parameter, Reading } from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { createHash } from 'node:crypto';
import { from } from 'rxjs';
import { stateOf, stored, storedOf, type DeviceStates } from './device-states.js';
import { Intervals } from './intervals.js';

export const RULES = Symbol('Rules');
export const REGISTRY = Symbol('Registry');

const STATES = 'alerts/device-states';

/** A pending breach is believed across this many missing reports. */
const DEFAULT_GAP_INTERVALS = 3;
/** For a device that is not registered any more: no promise of an interval to go by. */
const UNKNOWN_INTERVAL_MS = 3_600_000;

interface VersionedRule {
  readonly rule: ThresholdRule;
  readonly version: string;
  readonly key: string;
  /** Of its parameter among those that any rule judges. */
  readonly place: number;
}

/** `readings` → rules → `alerts`. One state machine per rule and device; the states of a device move with the cursor. */
@Controller()
export class AlertsController {
  readonly #rules: readonly VersionedRule[];
  readonly #judged: readonly Parameter[];
  readonly #intervals: Intervals;

  constructor(@Inject(RULES) rules: readonly ThresholdRule[], @Inject(REGISTRY) registry: Registry) {
    this.#intervals = new Intervals(registry, UNKNOWN_INTERVAL_MS);
    this.#judged = [...new Set(rules.map(({ parameter }) => parameter))];
    this.#rules = rules.map((rule) => {
      const version = createHash('sha256').update(ruleText(rule)).digest('hex').slice(0, 12);
      // The version is part of the key: a changed rule begins anew instead of judging by another rule's memory.
      const place = this.#judged.indexOf(rule.parameter);
      return { rule, version, key: `${rule.id}/${version}`, place };
    });
  }

  @FromStream('readings', { inPieces: true })
  readings(@Payload() piece: Batch<Observation>, @Ctx() context: BatchContext): void {
    const { sites, rows } = context.keep(() => {
      const arrived: Arrived = { sites: new Map(), rows: new KeyedRows() };
      context.atEnd(() => this.#judgeAll(arrived, context));
      return arrived;
    });
    for (const { data } of piece) {
      for (const [place, parameter] of this.#judged.entries()) {
        const reading = readingOf(data, parameter);
        if (reading === undefined) continue;
        const { site, device, ts } = data;
        if (!sites.has(device)) sites.set(device, site);
        rows.add(device, [ts, place, reading.value, markOf(reading)]);
      }
    }
  }

  async #judgeAll({ sites, rows }: Arrived, context: BatchContext): Promise<void> {
    await this.#intervals.refresh();
    const known = await context.state.getMany<DeviceStates>(STATES, [...sites.keys()]);
    let i = 0;
    for (const [device, site] of sites) {
      const intervalMs = this.#intervals.peek(device) ?? (await this.#intervals.of(device));
      const before = known[i++] ?? [];
      const after = this.#judge({ site, device }, rows.of(device), before, intervalMs, context);
      if (after !== before) context.state.put(STATES, device, after);
    }
  }

  /** @returns the states of the device after what arrived; the same list when that changed nothing */
  #judge(
    subject: Subject,
    numbers: readonly number[],
    before: DeviceStates,
    intervalMs: Millis,
    context: BatchContext,
  ): DeviceStates {
    const after: DeviceStates[number][] = [];
    let hasChanged = false;
    for (const versioned of this.#rules) {
      const { rule, key, place } = versioned;
      const known = storedOf(before, key);
      const state = known === undefined ? INACTIVE : stateOf(known);
      let next = state;
      if (appliesTo(rule, subject)) {
        const maxGap = rule.maxGap ?? DEFAULT_GAP_INTERVALS * intervalMs;
        const readings = from(readingsOf(numbers, place));
        for (const step of atOnce(readings.pipe(thresholdSteps(rule, maxGap, state)))) {
          next = step.state;
          context.append('alerts', eventsOf(versioned, subject, step.transitions));
        }
      }
      if (next !== state) hasChanged = true;
      const kept = next === state ? known : stored(key, next);
      if (kept !== undefined) after.push(kept);
    }
    // Rules that are gone, or were changed, leave nothing behind.
    return hasChanged ? after : before;
  }
}

type Subject = Pick<Observation, 'site' | 'device'>;

/** What the pieces of a batch brought so far. */
interface Arrived {
  /** Of each device, the one of its first reading. */
  readonly sites: Map<string, string>;
  /** By device, of each reading: instant, place of its parameter, value and mark ({@link markOf}). */
  readonly rows: KeyedRows;
}

const PER_READING = 4;

function readingOf({ readings }: Observation, parameter: Parameter): Reading | undefined {
  for (const reading of readings) if (reading.parameter === parameter) return reading;
  return undefined;
}

function readingsOf(numbers: readonly number[], place: number): AlertReading[] {
  const readings: AlertReading[] = [];
  for (let i = 0; i < numbers.length; i += PER_READING) {
    if (numbers[i + 1] !== place) continue;
    const [ts, value, mark] = [numbers[i], numbers[i + 2], numbers[i + 3]] as [number, number, number];
    readings.push({ ts, value, standing: judgementOf(mark).standing });
  }
  return readings;
}

function eventsOf(
  { rule, version }: VersionedRule,
  { site, device }: Subject,
  transitions: readonly AlertTransition[],
): NewEntry<AlertEvent>[] {
  const { id, severity, title, parameter, raise, clear } = rule;
  return transitions.map((transition) => ({
    key: device,
    data: {
      ...transition,
      alert: `${id}/${device}/${transition.since}`,
      rule: id,
      ruleVersion: version,
      severity,
      title,
      site,
      device,
      parameter,
      raise,
      clear,
    },
  }));
}
