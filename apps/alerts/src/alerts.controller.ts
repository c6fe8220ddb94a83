import {
  appliesTo,
  INACTIVE,
  ruleText,
  thresholdSteps,
  type AlertEvent,
  type AlertReading,
  type AlertState,
  type ThresholdRule,
} from '#libs/alerting';
import type { Registry } from '#libs/identity';
import type { NewEntry } from '#libs/journal';
import type { Batch, BatchContext } from '#libs/journal-transport';
import type { Millis } from '#libs/kernel';
import type { Observation } from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { createHash } from 'node:crypto';
import { from, lastValueFrom, toArray } from 'rxjs';

export const RULES = Symbol('Rules');
export const REGISTRY = Symbol('Registry');

const STATES = 'alerts/states';
/** Of one device: the state of every rule that it moved, by rule and version. */
type DeviceStates = Readonly<Record<string, AlertState>>;

/** A pending breach is believed across this many missing reports. */
const DEFAULT_GAP_INTERVALS = 3;
/** For a device that is not registered any more: no promise of an interval to go by. */
const UNKNOWN_INTERVAL_MS = 3_600_000;

/** `readings` → rules → `alerts`. One state machine per rule and device; the states of a device move with the cursor. */
@Controller()
export class AlertsController {
  readonly #rules: readonly {
    readonly rule: ThresholdRule;
    readonly version: string;
    readonly key: string;
  }[];

  constructor(
    @Inject(RULES) rules: readonly ThresholdRule[],
    @Inject(REGISTRY) private readonly registry: Registry,
  ) {
    this.#rules = rules.map((rule) => {
      const version = createHash('sha256').update(ruleText(rule)).digest('hex').slice(0, 12);
      // The version is part of the key: a changed rule begins anew instead of judging by another rule's memory.
      return { rule, version, key: `${rule.id}/${version}` };
    });
  }

  @EventPattern<string>('readings')
  async readings(@Payload() batch: Batch<Observation>, @Ctx() context: BatchContext): Promise<void> {
    const byDevice = new Map<string, Observation[]>();
    for (const { data } of batch) {
      const observations = byDevice.get(data.device);
      if (observations === undefined) byDevice.set(data.device, [data]);
      else observations.push(data);
    }
    for (const [device, observations] of byDevice) {
      const [newest] = observations;
      if (newest === undefined) continue;
      const { site } = newest;
      const before = (await context.state.get<DeviceStates>(STATES, device)) ?? {};
      const after = new Map<string, AlertState>();
      for (const { rule, version, key } of this.#rules) {
        if (!appliesTo(rule, { site, device })) continue;
        const readings = observations.flatMap(({ ts, readings }): AlertReading[] => {
          const reading = readings.find(({ parameter }) => parameter === rule.parameter);
          return reading === undefined ? [] : [{ ts, value: reading.value, flag: reading.flag }];
        });
        if (readings.length === 0) continue;
        const state = before[key] ?? INACTIVE;
        const next = await this.#judge(rule, version, state, { site, device }, readings, context);
        if (next !== state) after.set(key, next);
      }
      if (after.size > 0) context.state.put(STATES, device, this.#merged(before, after));
    }
  }

  /** Rules that are gone, or were changed, leave nothing behind. */
  #merged(before: DeviceStates, after: ReadonlyMap<string, AlertState>): DeviceStates {
    return Object.fromEntries(
      this.#rules.flatMap(({ key }) => {
        const state = after.get(key) ?? before[key];
        return state === undefined ? [] : [[key, state]];
      }),
    );
  }

  /** @returns the state after the readings; the same object when they changed nothing */
  async #judge(
    rule: ThresholdRule,
    version: string,
    before: AlertState,
    subject: { readonly site: string; readonly device: string },
    readings: readonly AlertReading[],
    context: BatchContext,
  ): Promise<AlertState> {
    const maxGap = rule.maxGap ?? (await this.#defaultGap(subject.device));
    const steps = await lastValueFrom(from(readings).pipe(thresholdSteps(rule, maxGap, before), toArray()));
    const after = steps.at(-1)?.state ?? before;
    const { id, severity, title, parameter, raise, clear } = rule;
    const events = steps
      .flatMap(({ transitions }) => transitions)
      .map((transition): NewEntry<AlertEvent> => ({
        key: subject.device,
        data: {
          ...transition,
          alert: `${id}/${subject.device}/${transition.since}`,
          rule: id,
          ruleVersion: version,
          severity,
          title,
          ...subject,
          parameter,
          raise,
          clear,
        },
      }));
    context.append('alerts', events);
    return after;
  }

  async #defaultGap(device: string): Promise<Millis> {
    return DEFAULT_GAP_INTERVALS * ((await this.registry.device(device))?.intervalMs ?? UNKNOWN_INTERVAL_MS);
  }
}
