import { DAY, HOUR, MINUTE } from '#libs/kernel';
import { heartbeatPayload, telemetryPayload } from '#libs/telemetry';
import { Air, CLIMATES, type AirSample } from '#simulators/air';
import { cameraMessages, cameraTruth } from './camera.js';
import type { CameraFault, SensorFault, SupplyFault } from './faults.js';
import type { SimulatedMessage } from './message.js';
import { measure, SENSOR_MODELS } from './sensor-model.js';
import { stationMessages } from './station.js';

const from = Date.parse('2023-09-30T17:00:00Z');
const to = from + DAY;
const site = { id: 's', urban: 0.5, latitude: -2.9, longitude: 104.7 };
const air = new Air({
  seed: 1,
  from,
  to,
  climate: CLIMATES['sumatra-dry'],
  utcOffset: 7 * HOUR,
  episodes: [],
  sources: [],
});
const noon = { from: from + 10 * HOUR, to: from + 12 * HOUR };
const within = ({ at }: SimulatedMessage): boolean => at >= noon.from && at < noon.to;

function station(...faults: (SensorFault | SupplyFault)[]): SimulatedMessage[] {
  const model = SENSOR_MODELS['low-cost'];
  const airAt = (at: number): AirSample => air.at(site, at);
  return [...stationMessages({ id: 'a', seed: 1, model, intervalMs: 5 * MINUTE, from, to, faults, airAt })];
}
function camera(...faults: (CameraFault | SupplyFault)[]): SimulatedMessage[] {
  return [...cameraMessages({ id: 'c', seed: 1, intervalMs: MINUTE, from, to, faults })];
}
interface Stated {
  readonly ts: string;
  readonly seq: number;
  readonly values: Record<string, number>;
}
const stated = ({ payload }: SimulatedMessage): Stated => JSON.parse(payload) as Stated;
const healthy = station();

describe('an instrument', () => {
  it('sees the air about as it is, and more of it when it is damp and does not dry it', () => {
    const sample = { ...air.at(site, noon.from), pm25: 40 };
    const seen = (model: keyof typeof SENSOR_MODELS, humidity: number): number =>
      measure(SENSOR_MODELS[model], { ...sample, humidity }, () => 0.25)['pm25'] ?? NaN;
    expect(seen('reference', 95)).toBe(seen('reference', 50));
    expect(seen('low-cost', 95)).toBeGreaterThan(1.5 * seen('low-cost', 50));
  });
});

describe('a station', () => {
  it('sends what Pantau documents, the same bytes each time', () => {
    for (const message of healthy) expect(telemetryPayload.safeParse(stated(message)).success).toBe(true);
    expect(healthy).toHaveLength(DAY / (5 * MINUTE));
    expect(station()).toEqual(healthy);
  });

  it.each<[SensorFault['kind'], SensorFault]>([
    ['drift', { ...noon, kind: 'drift', parameter: 'pm25', perDay: 500 }],
    ['stuck', { ...noon, kind: 'stuck', parameter: 'pm25' }],
    ['spikes', { ...noon, kind: 'spikes', parameter: 'pm25', rate: 200, size: 400 }],
    ['saturation', { ...noon, kind: 'saturation', parameter: 'pm25', at: 5 }],
    ['wrong-unit', { ...noon, kind: 'wrong-unit', parameter: 'temperature', factor: 1.8, offset: 32 }],
  ])('%s falsifies its parameter in its span, says so in the truth, and nothing else', (kind, fault) => {
    const messages = station(fault);
    const parameter = 'parameter' in fault ? (fault.parameter ?? '') : '';
    const marked = messages.filter(({ faults }) => faults[parameter] === kind);
    expect(marked.length).toBeGreaterThan(0);
    expect(marked.every(within)).toBe(true);
    messages.forEach((message, i) => {
      const [one, other] = [stated(message), stated(healthy[i]!)];
      for (const name of Object.keys(other.values))
        if (message.faults[name] === undefined) expect(one.values[name]).toBe(other.values[name]);
      expect(message.truth).toEqual(healthy[i]!.truth);
    });
  });

  it('leaves out a parameter, or whole messages, that drop out', () => {
    const one = station({ ...noon, kind: 'dropout', parameter: 'pm10' });
    for (const message of one) expect('pm10' in stated(message).values).toBe(!within(message));
    const all = station({ ...noon, kind: 'dropout' });
    expect(all.some(within)).toBe(false);
    expect(all).toHaveLength(healthy.length - healthy.filter(within).length);
  });

  it('states a wrong time while its clock is wrong', () => {
    const jumped = station({ ...noon, kind: 'clock-jump', by: -3 * HOUR });
    for (const message of jumped)
      expect(Date.parse(stated(message).ts) - message.at).toBe(within(message) ? -3 * HOUR : 0);
    const drifting = station({ ...noon, kind: 'clock-drift', secondsPerDay: 864 }).filter(within);
    expect(drifting.at(-1)!.statedAt - drifting.at(-1)!.at).toBeGreaterThan(60_000);
  });

  it('begins its counter anew after a reboot, with a warm-up value', () => {
    const messages = station({ ...noon, kind: 'reboot' });
    const first = messages.find(({ at }) => at >= noon.to)!;
    expect(stated(first)).toMatchObject({ seq: 0, values: { pm25: 0, pm10: 0 } });
    expect(first.faults).toEqual({ pm25: 'reboot', pm10: 'reboot' });
    const browning = station({ ...noon, kind: 'brown-out' }).filter(within);
    expect(browning.length).toBeGreaterThan(0);
    expect(browning.length).toBeLessThan(healthy.filter(within).length);
  });

  it('sends again byte for byte, and marks the repetition', () => {
    const messages = station({ ...noon, kind: 'resend' });
    const repeats = messages.filter(({ isRepeat }) => isRepeat);
    expect(repeats).toHaveLength(healthy.filter(within).length);
    for (const repeat of repeats)
      expect(messages.filter(({ payload }) => payload === repeat.payload)).toHaveLength(2);
  });

  it('keeps what it measured while the link is down, and delivers it in order when it is back', () => {
    const messages = station({ ...noon, kind: 'link' });
    expect(messages.map(({ payload }) => payload)).toEqual(healthy.map(({ payload }) => payload));
    for (const message of messages) expect(message.deliverAt).toBe(within(message) ? noon.to : message.at);
  });
});

describe('a camera', () => {
  it('sends what Pantau documents, the same bytes each time', () => {
    const messages = camera({ ...noon, kind: 'recorder' });
    for (const { payload } of messages)
      expect(heartbeatPayload.safeParse(JSON.parse(payload)).success).toBe(true);
    expect(camera({ ...noon, kind: 'recorder' })).toEqual(messages);
  });

  it.each(['recorder', 'black'] as const)('says that it is down with a fault of kind %s', (kind) => {
    for (const message of camera({ ...noon, kind }))
      expect(JSON.parse(message.payload)).toMatchObject({ state: within(message) ? 'down' : 'up' });
  });

  it('claims to be up with a frozen picture, and its frames stand still', () => {
    const frozen = camera({ ...noon, kind: 'frozen' }).filter(within);
    const frames = new Set(frozen.map(({ payload }) => (JSON.parse(payload) as { frames: number }).frames));
    expect(frozen.every(({ payload }) => payload.includes('"state":"up"'))).toBe(true);
    expect(frames.size).toBe(1);
  });

  it('has a truth without gaps, whose spans are what stops the pictures', () => {
    const faults: (CameraFault | SupplyFault)[] = [
      { ...noon, kind: 'power' },
      { from: from + 2 * HOUR, to: from + 4 * HOUR, kind: 'link' },
      { from: from + 14 * HOUR, to: from + 15 * HOUR, kind: 'flapping', period: 10 * MINUTE },
    ];
    const truth = cameraTruth({ id: 'c', seed: 1, intervalMs: MINUTE, from, to, faults });
    expect(truth[0]!.from).toBe(from);
    expect(truth.at(-1)!.to).toBe(to);
    truth.slice(1).forEach((span, i) => expect(span.from).toBe(truth[i]!.to));
    const down = truth
      .filter(({ state }) => state === 'down')
      .reduce((sum, span) => sum + span.to - span.from, 0);
    // The cut link is no outage of the camera.
    expect(down).toBe(2 * HOUR + HOUR / 2);
  });
});
