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
import type { Batch, BatchContext } from '#libs/journal-transport';
import type { Millis } from '#libs/kernel';
import type { Observation, Parameter } from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
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
}

/** `readings` → rules → `alerts`. One state machine per rule and device; the states of a device move with the cursor. */
@Controller()
export class AlertsController {
  readonly #rules: readonly VersionedRule[];
  readonly #intervals: Intervals;

  constructor(@Inject(RULES) rules: readonly ThresholdRule[], @Inject(REGISTRY) registry: Registry) {
    this.#intervals = new Intervals(registry, UNKNOWN_INTERVAL_MS);
    this.#rules = rules.map((rule) => {
      const version = createHash('sha256').update(ruleText(rule)).digest('hex').slice(0, 12);
      // The version is part of the key: a changed rule begins anew instead of judging by another rule's memory.
      return { rule, version, key: `${rule.id}/${version}` };
    });
  }

  @EventPattern<string>('readings')
  async readings(@Payload() batch: Batch<Observation>, @Ctx() context: BatchContext): Promise<void> {
    await this.#intervals.refresh();
    const byDevice = new Map<string, Observation[]>();
    for (const { data } of batch) {
      const observations = byDevice.get(data.device);
      if (observations === undefined) byDevice.set(data.device, [data]);
      else observations.push(data);
    }
    const devices = [...byDevice.keys()];
    const known = await context.state.getMany<DeviceStates>(STATES, devices);
    for (const [i, device] of devices.entries()) {
      const intervalMs = this.#intervals.peek(device) ?? (await this.#intervals.of(device));
      const before = known[i] ?? [];
      const after = this.#judge(byDevice.get(device) ?? [], before, intervalMs, context);
      if (after !== before) context.state.put(STATES, device, after);
    }
  }

  /** @returns the states of the device after the observations; the same list when they changed nothing */
  #judge(
    observations: readonly Observation[],
    before: DeviceStates,
    intervalMs: Millis,
    context: BatchContext,
  ): DeviceStates {
    const [subject] = observations;
    const after: DeviceStates[number][] = [];
    let hasChanged = false;
    for (const versioned of this.#rules) {
      const { rule, key } = versioned;
      const known = storedOf(before, key);
      const state = known === undefined ? INACTIVE : stateOf(known);
      let next = state;
      if (subject !== undefined && appliesTo(rule, subject)) {
        const maxGap = rule.maxGap ?? DEFAULT_GAP_INTERVALS * intervalMs;
        const readings = from(readingsOf(observations, rule.parameter));
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

function readingsOf(observations: readonly Observation[], parameter: Parameter): AlertReading[] {
  const found: AlertReading[] = [];
  for (const { ts, readings } of observations) {
    for (const reading of readings) {
      if (reading.parameter !== parameter) continue;
      found.push({ ts, value: reading.value, flag: reading.flag });
      break;
    }
  }
  return found;
}

function eventsOf(
  { rule, version }: VersionedRule,
  { site, device }: Observation,
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
