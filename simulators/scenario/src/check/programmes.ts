import { isParameter } from '#libs/telemetry';
import { SCALE_STEP_KG, type CameraSpan } from '#simulators/devices';
import { forEachOf, type PantauApi } from '../api.js';
import type { ProgrammeFinding } from './findings.js';
import type { SimulatedDevice } from '../fleet.js';
import { signalsSince } from '../live.js';
import type { Scenario } from '../scenario.js';
import { seenReadings, seenRefusals } from './seen.js';
import type { TruthRecord } from '../truth.js';

type SentMessage = Extract<TruthRecord, { type: 'message' }>;

/**
 * What became of the messages of waste bins, weighbridges, gardens and services. What Pantau cannot take has to be refused by name;
 * what it keeps without making a figure of it has to be kept as it was sent.
 *
 * @param position - of the live events when the run began
 */
export async function programmeFindings(
  scenario: Scenario,
  messages: ReadonlyMap<string, readonly SentMessage[]>,
  api: PantauApi,
  position: string,
): Promise<ProgrammeFinding[]> {
  const findings: ProgrammeFinding[] = [];
  const signalled = new Map<string, Signalled>();
  await forEachOf(scenario.devices, async (device) => {
    const sent = messages.get(device.id) ?? [];
    if (device.kind === 'bin' || device.kind === 'garden')
      findings.push(...(await refused(device, sent, scenario, api)));
    if (device.kind === 'weighbridge') signalled.set(device.id, weighings(device, sent));
    if (device.kind === 'service') signalled.set(device.id, answers(device, sent));
  });
  const sites = new Set(scenario.devices.filter(({ id }) => signalled.has(id)).map(({ site }) => site));
  for (const site of sites) {
    const owed = scenario.devices.filter((device) => device.site === site && signalled.has(device.id));
    await signalsSince(api, position, site, (signal) => {
      signalled.get(String(signal['device']))?.take(signal);
      return owed.every(({ id }) => signalled.get(id)?.isComplete() === true) ? 'enough' : 'more';
    });
  }
  for (const one of signalled.values()) findings.push(one.finding());
  return findings.sort((a, b) => (a.device < b.device ? -1 : a.device > b.device ? 1 : 0));
}

/** Values that are no parameter of Pantau. */
async function refused(
  { id, kind, intervalMs }: SimulatedDevice,
  sent: readonly SentMessage[],
  { from, to }: Scenario,
  api: PantauApi,
): Promise<ProgrammeFinding[]> {
  const values = [...new Set(sent.flatMap(({ truth = {} }) => Object.keys(truth)))];
  const foreign = values.filter((value) => !isParameter(value));
  const refusals = await seenRefusals(api, id, 'unknown_parameter');
  const stored = await seenReadings(api, id, { from: from - intervalMs, to: to + intervalMs });
  return foreign.map((value) => {
    const named = refusals.filter(({ detail }) => detail.startsWith(`values.${value}:`));
    const instants = new Set(named.map(({ ts }) => ts));
    return {
      ...{ device: id, kind, value, sent: sent.length, as: 'unknown_parameter' },
      arrived: sent.filter(({ ts }) => instants.has(ts)).length,
      taken: stored.filter(({ parameter }) => parameter === value).length,
    };
  });
}

/** What a device said that Pantau keeps as a signal. */
interface Signalled {
  take(signal: Readonly<Record<string, unknown>>): void;
  isComplete(): boolean;
  finding(): ProgrammeFinding;
}

function signals(
  { id, kind }: SimulatedDevice,
  sent: readonly SentMessage[],
  value: string,
  as: 'event' | 'heartbeat',
  isTrue: (message: SentMessage, signal: Readonly<Record<string, unknown>>) => boolean,
): Signalled {
  const byInstant = new Map(sent.map((message) => [message.ts, message]));
  const kept = new Set<string>();
  return {
    take(signal) {
      const ts = String(signal['ts']);
      const message = byInstant.get(ts);
      if (signal['type'] === as && message !== undefined && isTrue(message, signal)) kept.add(ts);
    },
    isComplete: () => kept.size === byInstant.size,
    finding: () => ({
      ...{ device: id, kind, value, sent: byInstant.size, arrived: kept.size, as, taken: 0 },
    }),
  };
}

function weighings(device: SimulatedDevice, sent: readonly SentMessage[]): Signalled {
  return signals(device, sent, 'net_kg', 'event', ({ truth = {} }, { name, data }) => {
    const net = (data as { net_kg?: number } | undefined)?.net_kg;
    return name === 'weighing' && Math.abs((net ?? NaN) - (truth['net_kg'] ?? NaN)) <= SCALE_STEP_KG;
  });
}

function answers(device: SimulatedDevice, sent: readonly SentMessage[]): Signalled {
  const states = device.states();
  return signals(device, sent, 'state', 'heartbeat', ({ at }, { state }) => stateAt(states, at) === state);
}

function stateAt(states: readonly CameraSpan[], at: string): CameraSpan['state'] | undefined {
  const instant = Date.parse(at);
  return states.find(({ from, to }) => instant >= from && instant < to)?.state;
}
