import {
  appliesTo,
  atOnce,
  type AlertEvent,
  type AlertStep,
  type Judged,
  type ReadingInput,
} from '#libs/alerting';
import type { Registry } from '#libs/identity';
import type { NewEntry } from '#libs/journal';
import { type Batch, type BatchContext, FromStream, InPieces, type Pieces } from '#libs/journal-transport';
import { KeyedRows, shardOf } from '#libs/kernel';
import { judgementOf, markOf } from '#libs/quality-control';
import type { Liveness, Observation, Parameter, Reading } from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { from } from 'rxjs';
import { STATE_FORM, storedOf, type DeviceStates, type StoredState } from './device-states-form.js';
import { STATES } from './namespaces.js';
import { PromisedIntervals } from './intervals.js';
import { OutOfService } from './out-of-service.js';
import { PassedTime } from './passed-time.js';
import { RuleStates } from './rule-states.js';
import type { AlertsOptions } from './alerts-options.js';
import { versionedRules, type VersionedRule } from './versioned-rules.js';

export const ALERTS_OPTIONS = Symbol('AlertsOptions');

/** For a device that is not registered any more: no promise of an interval to go by. */
const UNKNOWN_INTERVAL_MS = 3_600_000;

/**
 * `readings`, and the time that passes by `liveness`, → rules → `alerts`. One state per rule and device, of its kind; those of a
 * device move with the cursor.
 */
@Controller()
export class AlertRulesController {
  readonly #rules: readonly VersionedRule[];
  /** Of all rules, each once. */
  readonly #judged: readonly Parameter[];
  readonly #intervals: PromisedIntervals;
  readonly #outOfService: OutOfService;
  readonly #shards: number;
  /** Whether any rule judges silence. */
  readonly #isTimed: boolean;
  readonly #passed: PassedTime;

  readonly #registry: Registry;
  readonly #states: RuleStates;

  constructor(@Inject(ALERTS_OPTIONS) { rules, registry, journal, onUnreadable }: AlertsOptions) {
    this.#registry = registry;
    this.#states = new RuleStates(onUnreadable);
    this.#shards = journal.shards;
    this.#passed = new PassedTime(journal);
    this.#intervals = new PromisedIntervals(registry, UNKNOWN_INTERVAL_MS);
    this.#outOfService = new OutOfService(registry);
    this.#rules = versionedRules(rules);
    this.#judged = [...new Set(this.#rules.flatMap(({ inputs }) => [...inputs]))];
    this.#isTimed = this.#rules.some(({ kind }) => kind.pass !== undefined);
  }

  @InPieces('readings')
  readings(@Ctx() context: BatchContext): Pieces<Observation> {
    const arrived: Arrived = { sites: new Map(), rows: new KeyedRows() };
    return {
      add: (piece) => this.#gather(piece, arrived),
      end: () => this.#judgeAll(arrived, context),
    };
  }

  #gather(piece: Batch<Observation>, { sites, rows }: Arrived): void {
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
    await this.#outOfService.refresh();
    const known = await context.state.getMany(STATES, [...sites.keys()]);
    let i = 0;
    for (const [device, site] of sites) {
      const intervalMs = this.#intervals.peek(device) ?? (await this.#intervals.of(device));
      const before = known[i++] ?? [];
      const all = inputsOf(rows.of(device), this.#judged);
      // What comes all the same, through a gateway, alarms nobody.
      const inputs = this.#outOfService.knows(device)
        ? all.filter(({ ts }) => !this.#outOfService.isOut(device, ts))
        : all;
      const inputsOfRule = ({ inputs: judged }: VersionedRule): readonly ReadingInput[] =>
        judged.size === this.#judged.length
          ? inputs
          : inputs.filter(({ parameter }) => judged.has(parameter));
      const judge: Judge = (versioned, state) =>
        atOnce(
          from(inputsOfRule(versioned)).pipe(versioned.kind.judge(versioned.rule, { intervalMs }, state)),
        );
      this.#judge({ site, device }, judge, before, context);
    }
  }

  @FromStream('liveness')
  async liveness(@Payload() batch: Batch<Liveness>, @Ctx() context: BatchContext): Promise<void> {
    await this.#outOfService.refresh();
    const newest = batch.at(-1)?.data.at ?? 0;
    if (!this.#isTimed && this.#outOfService.at(newest).size === 0) return;
    const beats = batch.map(({ data }) => data);
    const beat = await this.#passed.after(beats, context);
    if (beat === undefined) return;
    const { shard } = context.origin;
    const out = this.#outOfService.at(beat.ts);
    const devices = (await this.#registry.devices()).filter(
      ({ id }) => shardOf(id, this.#shards) === shard && (this.#isTimed || out.has(id)),
    );
    const ids = devices.map(({ id }) => id);
    const known = await context.state.getMany(STATES, ids);
    for (const [i, { id, site, intervalMs }] of devices.entries()) {
      const judge: Judge = ({ kind, rule }, state) => {
        const judged = out.has(id)
          ? kind.end?.(rule, state, beat.ts)
          : kind.pass?.(rule, { intervalMs }, state, beat);
        return judged === undefined ? [] : [judged];
      };
      this.#judge({ site, device: id }, judge, known[i] ?? [], context);
    }
  }

  /** Judges a device by every rule that applies to it. */
  #judge(subject: Subject, judge: Judge, before: DeviceStates, context: BatchContext): void {
    const after: StoredState[] = [];
    let hasChanged = false;
    for (const versioned of this.#rules) {
      const { rule, kind, key } = versioned;
      const known = storedOf(before, key);
      const state = known === undefined ? kind.initial : this.#states.unpack(known, versioned, subject);
      let next = state;
      if (appliesTo(rule, subject)) {
        for (const judged of judge(versioned, state)) {
          next = judged.state;
          context.append('alerts', eventsOf(versioned, subject, judged.steps));
        }
      }
      if (next !== state) hasChanged = true;
      const kept = next === state ? known : STATE_FORM.pack(key, kind.form.pack(next));
      if (kept !== undefined) after.push(kept);
    }
    // Rules that are gone, or were changed, leave nothing behind.
    if (hasChanged) context.state.put(STATES, subject.device, after);
  }
}

/** What a rule makes of what came, one after the other. */
type Judge = (versioned: VersionedRule, state: unknown) => readonly Judged[];

type Subject = AlertEvent['subject'];

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

/** @param parameters - by their place */
function inputsOf(numbers: readonly number[], parameters: readonly Parameter[]): ReadingInput[] {
  const inputs: ReadingInput[] = [];
  for (let i = 0; i < numbers.length; i += PER_READING) {
    const [ts, value] = [numbers[i] as number, numbers[i + 2] as number];
    const parameter = parameters[numbers[i + 1] as number] as Parameter;
    const { standing } = judgementOf(numbers[i + 3] as number);
    inputs.push({ ts, parameter, value, standing });
  }
  return inputs;
}

function eventsOf(
  { rule, kindName, version }: VersionedRule,
  subject: Subject,
  steps: readonly AlertStep[],
): NewEntry<AlertEvent>[] {
  const { id, severity, title } = rule;
  const { device } = subject;
  return steps.map((step) => ({
    key: device,
    data: {
      ...step,
      alert: `${id}/${device}/${step.since}`,
      ...{ rule: id, ruleVersion: version, kind: kindName, severity, title, subject },
    },
  }));
}
