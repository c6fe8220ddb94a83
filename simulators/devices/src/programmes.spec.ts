import { DAY, HOUR, MINUTE } from '#libs/kernel';
import { eventPayload, heartbeatPayload, telemetryPayload } from '#libs/telemetry';
import { Air, CLIMATES, hourOfDay } from '#simulators/air';
import type { ProgrammeFault, SupplyFault } from './faults.js';
import { gardenProbeMessages } from './garden-probe.js';
import type { SimulatedMessage } from './message.js';
import { publicServiceMessages, publicServiceTruth } from './public-service.js';
import { wasteBinMessages } from './waste-bin.js';
import { SCALE_STEP_KG, weighbridgeMessages } from './weighbridge.js';

const utcOffset = 7 * HOUR;
const from = Date.parse('2023-09-30T17:00:00Z');
const to = from + 14 * DAY;
const site = { id: 's', urban: 0.5, latitude: -2.9, longitude: 104.7 };
const air = new Air({
  ...{ seed: 1, from, to, utcOffset, climate: CLIMATES['sumatra-dry'], episodes: [], sources: [] },
});
const { showers } = air.weather;
const common = { id: 'a', seed: 1, from, to, utcOffset };

const bin = (...faults: (ProgrammeFault | SupplyFault)[]): SimulatedMessage[] => [
  ...wasteBinMessages({ ...common, intervalMs: 30 * MINUTE, faults }),
];
const weighbridge = (...faults: SupplyFault[]): SimulatedMessage[] => [
  ...weighbridgeMessages({ ...common, intervalMs: 20 * MINUTE, faults }),
];
const garden = (...faults: SupplyFault[]): SimulatedMessage[] => [
  ...gardenProbeMessages({
    ...{ ...common, intervalMs: 15 * MINUTE, faults, showers, airAt: (at) => air.at(site, at) },
  }),
];
const outage: ProgrammeFault = { kind: 'outage', from: from + 3 * DAY, to: from + 3 * DAY + 6 * HOUR };
const service = (...faults: (ProgrammeFault | SupplyFault)[]): SimulatedMessage[] => [
  ...publicServiceMessages({ ...common, intervalMs: 5 * MINUTE, faults }),
];
const truths = (messages: readonly SimulatedMessage[], value: string): number[] =>
  messages.map(({ truth }) => truth[value] ?? NaN);
const body = ({ payload }: SimulatedMessage): Record<string, unknown> =>
  JSON.parse(payload) as Record<string, unknown>;
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

describe('devices of the programmes', () => {
  it.each([
    ['a waste bin', bin, telemetryPayload],
    ['a weighbridge', weighbridge, eventPayload],
    ['a garden', garden, telemetryPayload],
    ['a public service', service, heartbeatPayload],
  ])('%s sends what Pantau documents, the same bytes each time', (_name, messages, schema) => {
    for (const message of messages()) expect(schema.safeParse(body(message)).success).toBe(true);
    expect(messages()).toEqual(messages());
  });

  it.each([
    ['a waste bin', bin],
    ['a weighbridge', weighbridge],
    ['a garden', garden],
    ['a public service', service],
  ])('%s is silent without power, and sends later what its link did not let through', (_name, messages) => {
    const noon = { from: from + DAY + 9 * HOUR, to: from + DAY + 12 * HOUR };
    const within = ({ at }: SimulatedMessage): boolean => at >= noon.from && at < noon.to;
    expect(messages({ ...noon, kind: 'power' }).filter(within)).toEqual([]);
    const late = messages({ ...noon, kind: 'link' }).filter(within);
    expect(late.length).toBeGreaterThan(2);
    expect(late.every(({ deliverAt }) => deliverAt === noon.to)).toBe(true);
  });
});

describe('a waste bin', () => {
  it('is emptied in the morning, and states its level within the noise of its sensor', () => {
    const messages = bin();
    const levels = truths(messages, 'fill_level');
    const emptied = messages.filter((_message, i) => (levels[i] ?? 0) + 20 < (levels[i - 1] ?? 0));
    expect(emptied.length).toBeGreaterThanOrEqual(12);
    for (const { at } of emptied) expect(Math.abs(hourOfDay(at, utcOffset) - 5)).toBeLessThan(1.5);
    const errors = messages.map(({ payload, truth }) => {
      const { values } = JSON.parse(payload) as { values: { fill_level: number } };
      return values.fill_level - (truth['fill_level'] ?? NaN);
    });
    expect(Math.abs(mean(errors))).toBeLessThan(0.5);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(8);
  });

  it('is full when the lorry does not come', () => {
    const missed = { from: from + 4 * DAY, to: from + 7 * DAY };
    const during = ({ at }: SimulatedMessage): boolean => at >= missed.from && at < missed.to;
    expect(Math.max(...truths(bin({ ...missed, kind: 'uncollected' }).filter(during), 'fill_level'))).toBe(
      100,
    );
    expect(mean(truths(bin().filter(during), 'fill_level'))).toBeLessThan(60);
  });
});

describe('a weighbridge', () => {
  it('weighs while the landfill is open, in steps of its scale', () => {
    const messages = weighbridge();
    expect(messages.length / 14).toBeGreaterThan(20);
    for (const message of messages) {
      const hour = hourOfDay(message.at, utcOffset);
      expect(hour >= 6 && hour < 17).toBe(true);
      const { gross_kg, tare_kg, net_kg } = body(message)['data'] as Record<string, number>;
      expect([gross_kg! % SCALE_STEP_KG, gross_kg! - tare_kg!]).toEqual([0, net_kg]);
      expect(Math.abs(net_kg! - message.truth['net_kg']!)).toBeLessThanOrEqual(SCALE_STEP_KG);
    }
  });
});

describe('a garden', () => {
  it('dries by day, is watered and rained on, and stays between the wilting point and saturation', () => {
    const messages = garden();
    const water = truths(messages, 'soil_moisture');
    expect(Math.min(...water)).toBeGreaterThan(14);
    expect(Math.max(...water)).toBeLessThanOrEqual(46);
    const changes = messages.map(({ at }, i) => [at, (water[i + 1] ?? NaN) - (water[i] ?? NaN)] as const);
    const isWet = (at: number): boolean =>
      showers.some((shower) => at + 20 * MINUTE >= shower.from && at < shower.to);
    const rises = changes.filter(([, change]) => change > 0.2);
    expect(rises.length).toBeGreaterThan(0);
    for (const [at] of rises) {
      const isWatering = Math.abs(hourOfDay(at, utcOffset) - 6.5) < 0.5;
      expect(isWet(at) || isWatering).toBe(true);
    }
  });
});

describe('a public service', () => {
  it('says that nobody answered, exactly when nobody does', () => {
    const spans = publicServiceTruth({ ...common, intervalMs: 5 * MINUTE, faults: [outage] });
    expect([spans[0]?.from, spans.at(-1)?.to]).toEqual([from, to]);
    for (const [i, span] of spans.slice(1).entries()) expect(span.from).toBe(spans[i]?.to);
    for (const message of service(outage)) {
      const state = spans.find((span) => message.at >= span.from && message.at < span.to)?.state;
      expect(body(message)['state']).toBe(state);
    }
    expect(
      spans.some((span) => span.state === 'down' && span.from <= outage.from && span.to >= outage.to),
    ).toBe(true);
    // It fails by itself too.
    expect(spans.filter(({ state }) => state === 'down').length).toBeGreaterThan(1);
  });
});
