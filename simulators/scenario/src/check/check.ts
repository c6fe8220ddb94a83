import { DAY, localDateOf, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { isParameter, type Parameter } from '#libs/telemetry';
import type { CameraSpan } from '#simulators/devices';
import { forEachOf, type PantauApi } from '../api.js';
import type {
  AlertFinding,
  AvailabilityFinding,
  CheckReport,
  IndexFinding,
  MeanFinding,
} from './findings.js';
import { Gallery, type Seen } from './gallery.js';
import { problemsOf } from './problems.js';
import { programmeFindings } from './programmes.js';
import type { RunReport } from '../run.js';
import type { SimulatedDevice } from '../fleet.js';
import type { Scenario } from '../scenario.js';
import {
  availabilityOf,
  seenAlerts,
  seenDays,
  seenIndex,
  seenReadings,
  type SeenAlert,
  type SeenDay,
} from './seen.js';
import { trueIndexAt } from './true-index.js';
import type { TruthRecord } from '../truth.js';

const SUSPECT = 3;
const FAILED = 4;
const isFlagged = (flag: number): boolean => flag === SUSPECT || flag === FAILED;
/** Which indicator is the daily mean of a parameter. */
const MEAN_INDICATORS: Readonly<Record<string, string>> = { pm25: 'env.aq.pm25_daily_mean' };
/** What the pictures show. */
const DRAWN = { air: 'pm25', garden: 'temperature' } as const;
const AVAILABILITY = 'soc.cctv.availability';
/** Faults that move the time of a reading: its place in the store cannot be told from the truth. */
const CLOCK_FAULTS: readonly string[] = ['clock-jump', 'clock-drift'];

/**
 * Asks Pantau what it saw of a run, and compares it with the truth.
 *
 * @param position - of the live events when the run began
 * @param gallery - gets what pictures show
 */
export async function check(
  scenario: Scenario,
  truth: readonly TruthRecord[],
  run: Pick<RunReport, 'sent' | 'acknowledged'>,
  api: PantauApi,
  position: string,
  gallery = new Gallery(),
): Promise<CheckReport> {
  const messages = new Map<string, Extract<TruthRecord, { type: 'message' }>[]>();
  for (const record of truth)
    if (record.type === 'message') {
      const list = messages.get(record.device);
      if (list === undefined) messages.set(record.device, [record]);
      else list.push(record);
    }
  const tally = new Tally(scenario);
  await forEachOf(scenario.devices, async (device) => {
    const sent = messages.get(device.id) ?? [];
    if (device.kind === 'air' || device.kind === 'garden')
      return addReadings({ tally, gallery, drawn: DRAWN[device.kind] }, device, sent, scenario, api);
    if (device.kind !== 'camera') return;
    const days = await daysOf(api, device, scenario);
    tally.addAvailability(device, days);
    gallery.addCamera(device.id, device.states(), days);
  });
  const alerts = await alertsOf(scenario, truth, api);
  const programmes = await programmeFindings(scenario, messages, api, position);
  const sums = { sent: run.sent, acknowledged: run.acknowledged };
  const report = { messages: sums, ...tally.report(), alerts, programmes };
  return { ...report, problems: problemsOf(scenario, report) };
}

async function daysOf(api: PantauApi, { id }: SimulatedDevice, span: TimeSpan): Promise<SeenDay[]> {
  return (await seenDays(api, AVAILABILITY, id, span)).map(availabilityOf);
}

async function addReadings(
  {
    tally,
    gallery,
    drawn: picture,
  }: { readonly tally: Tally; readonly gallery: Gallery; readonly drawn: Parameter },
  device: SimulatedDevice,
  sent: readonly Extract<TruthRecord, { type: 'message' }>[],
  scenario: Scenario,
  api: PantauApi,
): Promise<void> {
  const margin = device.intervalMs;
  const span = { from: scenario.from - margin, to: scenario.to + margin };
  const readings = new Map(
    (await seenReadings(api, device.id, span)).map((reading) => [
      `${reading.ts}/${reading.parameter}`,
      reading,
    ]),
  );
  const drawn: Seen[] = [];
  const clock = device.faults.filter(({ kind }) => CLOCK_FAULTS.includes(kind));
  const means = new Map<string, { sum: number; count: number }>();
  for (const { at, ts, repeat, truth = {}, faults = {} } of sent) {
    if (repeat === true) continue;
    const measuredAt = Date.parse(at);
    const isClockWrong = clock.some(({ from, to }) => measuredAt >= from && measuredAt < to);
    for (const [parameter, value] of Object.entries(truth)) {
      // What Pantau cannot take is another matter.
      if (!isParameter(parameter)) continue;
      const key = `${localDateOf(measuredAt)}/${parameter}`;
      const mean = means.get(key) ?? { sum: 0, count: 0 };
      means.set(key, { sum: mean.sum + value, count: mean.count + 1 });
      const reading = readings.get(`${Date.parse(ts)}/${parameter}`);
      if (parameter === picture)
        drawn.push({
          ...{ at: measuredAt, truth: value, value: reading?.value },
          isFlagged: reading !== undefined && isFlagged(reading.flag),
        });
      if (isClockWrong || isDropped(device, parameter, measuredAt)) continue;
      tally.addValue(device, parameter, measuredAt, faults[parameter], reading?.flag);
    }
  }
  gallery.addStation(device.id, picture, drawn);
  const { expect } = scenario.file;
  if (expect.index !== undefined && (expect.index.model ?? device.model) === device.model) {
    const { at, index } = await seenIndex(api, device.id);
    const samples = sent.map((one) => ({ at: Date.parse(one.at), values: one.truth ?? {} }));
    if (scenario.from <= at - DAY && scenario.to >= at)
      tally.addIndex({ device: device.id, trueIndex: trueIndexAt(samples, at), seenIndex: index ?? null });
  }
  if (expect.means === undefined) return;
  const { parameter, model } = expect.means;
  const indicator = MEAN_INDICATORS[parameter];
  if (indicator === undefined || (model !== undefined && device.model !== model)) return;
  for (const { period, value } of await seenDays(api, indicator, device.id, scenario)) {
    const mean = means.get(`${period.date}/${parameter}`);
    if (mean !== undefined)
      tally.addMean({
        device: device.id,
        date: period.date,
        parameter,
        trueMean: mean.sum / mean.count,
        seenMean: value,
      });
  }
}

function isDropped({ faults }: SimulatedDevice, parameter: string, at: UtcMillis): boolean {
  return faults.some(
    (fault) => fault.kind === 'dropout' && fault.parameter === parameter && at >= fault.from && at < fault.to,
  );
}

async function alertsOf(
  { file, devices }: Scenario,
  truth: readonly TruthRecord[],
  api: PantauApi,
): Promise<AlertFinding[]> {
  if (file.expect.alerts.length === 0) return [];
  const seen: SeenAlert[] = [];
  await forEachOf(
    devices.filter(({ kind }) => kind === 'air'),
    async ({ id }) => void seen.push(...(await seenAlerts(api, id))),
  );
  return file.expect.alerts.map(({ rule, for: lasts }) => {
    const expected = truth.filter(
      (record) => record.type === 'exceedance' && record.rule === rule,
    ) as Extract<TruthRecord, { type: 'exceedance' }>[];
    const raised = seen.filter((alert) => alert.rule === rule);
    const meets = (exceedance: (typeof expected)[number], alert: SeenAlert): boolean =>
      exceedance.device === alert.device &&
      Date.parse(exceedance.from) < (alert.endedAt ?? Infinity) &&
      alert.since <= Date.parse(exceedance.to);
    const delays = expected.flatMap((exceedance) => {
      const first = raised.filter((alert) => meets(exceedance, alert)).map(({ firedAt }) => firedAt);
      return first.length === 0 ? [] : [Math.min(...first) - Date.parse(exceedance.from) - lasts];
    });
    return {
      rule,
      expected: expected.length,
      raised: raised.length,
      missing: expected.length - delays.length,
      extra: raised.filter((alert) => !expected.some((exceedance) => meets(exceedance, alert))).length,
      delaySeconds: Math.max(0, ...delays) / 1000,
    };
  });
}

/** Sums up what is found device by device. */
class Tally {
  readonly #scenario: Scenario;
  readonly #flags = new Map<string, { falsified: number; found: number; flagged: number }>();
  readonly #sound = { count: 0, flagged: 0 };
  readonly #values = { sent: 0, stored: 0 };
  readonly #availability: AvailabilityFinding[] = [];
  readonly #means: MeanFinding[] = [];
  readonly #indices: IndexFinding[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** @param flag - undefined when the value is not stored */
  addValue(
    device: SimulatedDevice,
    parameter: string,
    at: UtcMillis,
    fault: string | undefined,
    flag: number | undefined,
  ): void {
    this.#values.sent++;
    if (flag !== undefined) this.#values.stored++;
    const flagged = flag !== undefined && isFlagged(flag);
    if (fault === undefined) {
      this.#sound.count++;
      if (flagged) this.#sound.flagged++;
    } else {
      const counts = this.#of(fault);
      counts.falsified++;
      if (flagged) counts.found++;
    }
    if (!flagged) return;
    const active = device.faults.filter(
      (one) => 'parameter' in one && one.parameter === parameter && at >= one.from && at < one.to,
    );
    const kinds = new Set(active.map(({ kind }): string => kind));
    if (fault !== undefined) kinds.add(fault);
    for (const kind of kinds) this.#of(kind).flagged++;
  }

  addAvailability(device: SimulatedDevice, days: readonly SeenDay[]): void {
    const truth = device.states();
    let [trueUp, seenUp, unknown, error] = [0, 0, 0, 0];
    const within = { from: this.#scenario.from, to: this.#scenario.to };
    for (const day of days) {
      const up = known(truth, day, within);
      trueUp += up;
      seenUp += day.upMs;
      unknown += day.unknown.reduce((sum, { from, to }) => sum + to - from, 0);
      error += Math.abs(up - day.upMs);
    }
    this.#availability.push({
      device: device.id,
      trueUpSeconds: trueUp / 1000,
      seenUpSeconds: seenUp / 1000,
      unknownSeconds: unknown / 1000,
      errorSeconds: days.length === 0 ? Infinity : error / 1000,
    });
  }

  addMean(finding: MeanFinding): void {
    this.#means.push(finding);
  }

  addIndex(finding: IndexFinding): void {
    this.#indices.push(finding);
  }

  report(): Omit<CheckReport, 'messages' | 'alerts' | 'programmes' | 'problems'> {
    const byName = <T extends { readonly device: string }>(list: T[]): T[] =>
      list.sort((a, b) => (a.device < b.device ? -1 : a.device > b.device ? 1 : 0));
    return {
      values: this.#values,
      flags: [...this.#flags]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([fault, { falsified, found, flagged }]) => ({
          fault,
          falsified,
          found,
          flagged,
          recall: falsified === 0 ? 1 : found / falsified,
          precision: flagged === 0 ? 1 : found / flagged,
        })),
      soundValues: this.#sound,
      availability: byName(this.#availability),
      means: byName(this.#means),
      indices: byName(this.#indices),
    };
  }

  #of(fault: string): { falsified: number; found: number; flagged: number } {
    const known = this.#flags.get(fault);
    if (known !== undefined) return known;
    const counts = { falsified: 0, found: 0, flagged: 0 };
    this.#flags.set(fault, counts);
    return counts;
  }
}

/** True uptime of a day within the scenario, without the time that nobody observed. */
function known(truth: readonly CameraSpan[], { window, unknown }: SeenDay, within: TimeSpan): number {
  const overlap = (a: TimeSpan, b: TimeSpan): number =>
    Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from));
  const day = { from: Math.max(window.from, within.from), to: Math.min(window.to, within.to) };
  return truth
    .filter(({ state }) => state === 'up')
    .map((span) => ({ from: Math.max(span.from, day.from), to: Math.min(span.to, day.to) }))
    .filter(({ from, to }) => to > from)
    .reduce(
      (sum, span) => sum + span.to - span.from - unknown.reduce((lost, gap) => lost + overlap(span, gap), 0),
      0,
    );
}
