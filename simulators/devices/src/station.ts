import { SECOND, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import { namedRandom, type AirSample } from '#simulators/air';
import { during, type FaultKind, type SensorFault, type SupplyFault } from './faults.js';
import { Link } from './link.js';
import { JITTER, type SimulatedMessage } from './message.js';
import { measure, type SensorModel } from './sensor-model.js';

const DAY_SECONDS = 86_400;

export interface StationOptions extends TimeSpan {
  readonly id: string;
  readonly seed: number;
  readonly model: SensorModel;
  readonly intervalMs: Millis;
  readonly faults: readonly (SensorFault | SupplyFault)[];
  readonly airAt: (at: UtcMillis) => AirSample;
}

/**
 * What a station sends, in the order in which its link lets it through. The same options give the same bytes: every sample
 * draws the same numbers whether a fault falsifies it or not, so a fault changes nothing but what it is about.
 */
export function* stationMessages(options: StationOptions): Generator<SimulatedMessage> {
  const { id, seed, intervalMs, from, to, model, airAt } = options;
  const random = namedRandom(seed, `station/${id}`);
  // A noise of its own, so that spikes do not shift the numbers of the samples.
  const spikes = namedRandom(seed, `station/${id}/spikes`);
  const link = new Link(options.faults);
  const stuck = new Map<string, number>();
  let seq = 0;
  let warmingUp = false;
  for (let due = from; due < to; due += intervalMs) {
    const at = Math.round(due + random() * JITTER * intervalMs);
    const air = airAt(at);
    const values = measure(model, air, random);
    const active = during(options.faults, at);
    const kinds = new Set(active.map(({ kind }) => kind));
    // Three of four samples are lost to a restart; whether this one is must not depend on the others.
    const restarts = kinds.has('brown-out') && spikes() < 0.75;
    if (kinds.has('power') || kinds.has('reboot') || restarts) {
      seq = 0;
      warmingUp = true;
      continue;
    }
    const faults: Record<string, FaultKind> = {};
    if (warmingUp) warmUp(values, faults);
    warmingUp = false;
    for (const fault of active)
      falsify(fault, { values, faults, at, intervalMs, spike: spikes(), stuck, id });
    for (const parameter of [...stuck.keys()])
      if (!active.some((fault) => fault.kind === 'stuck' && fault.parameter === parameter))
        stuck.delete(parameter);
    const dropped = active.filter((fault) => fault.kind === 'dropout').map(({ parameter }) => parameter);
    const sent = Object.entries(values).filter(
      ([parameter]) => !dropped.includes(parameter as MeasuredParameter),
    );
    if (dropped.includes(undefined) || sent.length === 0) continue;

    const statedAt = at + clockError(active, at);
    const message: SimulatedMessage = {
      at,
      deliverAt: link.deliver(at),
      statedAt,
      kind: 'telemetry',
      payload: JSON.stringify({
        ts: new Date(statedAt).toISOString(),
        seq: seq++,
        values: Object.fromEntries(sent),
      }),
      isRepeat: false,
      truth: truthOf(air, model),
      faults,
    };
    yield message;
    if (kinds.has('resend')) yield { ...message, isRepeat: true };
  }
}

/** After a restart an optical counter states 0 until its fan has turned. */
function warmUp(values: Record<string, number>, faults: Record<string, FaultKind>): void {
  for (const parameter of ['pm25', 'pm10'])
    if (values[parameter] !== undefined) {
      values[parameter] = 0;
      faults[parameter] = 'reboot';
    }
}

interface Sample {
  readonly values: Record<string, number>;
  readonly faults: Record<string, FaultKind>;
  readonly at: UtcMillis;
  readonly intervalMs: Millis;
  /** A number in [0, 1) that decides about a spike. */
  readonly spike: number;
  readonly stuck: Map<string, number>;
  readonly id: string;
}

function falsify(fault: SensorFault | SupplyFault, sample: Sample): void {
  if (!('parameter' in fault) || fault.parameter === undefined) return;
  const { values, faults, at, intervalMs, spike, stuck } = sample;
  const { parameter } = fault;
  const value = values[parameter];
  if (value === undefined) return;
  const stated = ((): number => {
    switch (fault.kind) {
      case 'stuck':
        if (!stuck.has(parameter)) stuck.set(parameter, value);
        return stuck.get(parameter) ?? value;
      case 'drift':
        return value + (fault.perDay * (at - fault.from)) / (DAY_SECONDS * SECOND);
      case 'spikes':
        return spike < (fault.rate * intervalMs) / (DAY_SECONDS * SECOND) ? value + fault.size : value;
      case 'saturation':
        return Math.min(value, fault.at);
      case 'wrong-unit':
        return value * fault.factor + fault.offset;
      case 'dropout':
        // Taken out at the end: what another fault makes of it is not sent either.
        return value;
    }
  })();
  const rounded = Math.round(10 * stated) / 10;
  if (rounded === value && fault.kind !== 'stuck') return;
  values[parameter] = rounded;
  faults[parameter] = fault.kind;
}

function clockError(active: readonly (SensorFault | SupplyFault)[], at: UtcMillis): Millis {
  return active.reduce((error, fault) => {
    if (fault.kind === 'clock-jump') return error + fault.by;
    if (fault.kind === 'clock-drift')
      return error + Math.round((fault.secondsPerDay * (at - fault.from)) / DAY_SECONDS);
    return error;
  }, 0);
}

function truthOf(air: AirSample, { parameters }: SensorModel): Record<string, number> {
  return Object.fromEntries(
    parameters.map((parameter) => [parameter, Math.round(1_000 * air[parameter]) / 1_000]),
  );
}
