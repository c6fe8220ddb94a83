import { canonicalJson } from '#libs/kernel';
import type { JournalRef } from '#libs/telemetry';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { availability } from './functions/availability/index.js';
import type { DeviceInputs, HeartbeatInput } from './inputs.js';
import { periodOf } from './period.js';
import { MAX_INPUTS, provenance, type IndicatorRecord } from './record.js';

const TOO_MANY = /^OUT_OF_RANGE: .*more than 2000000 inputs.* shorter period/;

describe('provenance', () => {
  const input = fc.record({
    ts: fc.integer(),
    state: fc.constantFrom('up', 'down', 'é,"]'),
    shard: fc.nat(2),
    offset: fc.nat(12),
    doubt: fc.option(fc.string(), { nil: undefined }),
  });

  it('digests the canonical JSON of the whole list, whatever its length', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
        const whole = createHash('sha256').update(canonicalJson(inputs)).digest('hex');
        expect(provenance('signals', inputs)).toMatchObject({ inputs: inputs.length, digest: whole });
      }),
    );
  });

  it('names every entry once, by shard, in ranges that neither touch nor overlap', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
        const { entries } = provenance('signals', inputs);
        const named = entries.flatMap(({ shard, offsets }) =>
          offsets.flatMap(([from, to]) =>
            Array.from({ length: to - from + 1 }, (_, i) => `${shard}/${from + i}`),
          ),
        );
        expect(new Set(named)).toEqual(new Set(inputs.map(({ shard, offset }) => `${shard}/${offset}`)));
        expect(named).toHaveLength(new Set(named).size);
        const shards = entries.map(({ shard }) => shard);
        expect(shards).toEqual([...new Set(shards)].sort((a, b) => a - b));
        for (const { offsets } of entries)
          for (const [i, [from]] of offsets.entries())
            expect(from).toBeGreaterThan((offsets[i - 1]?.[1] ?? -2) + 1);
      }),
    );
  });

  it('refuses a figure of too many inputs with what to ask instead', () => {
    const inputs = new Array<JournalRef>(MAX_INPUTS + 1).fill({ shard: 0, offset: 0 });
    expect(() => provenance('signals', inputs)).toThrow(TOO_MANY);
  });
});

describe('pooled availability', () => {
  const text = { id: 'a', en: 'a' };
  const args = { graceShare: 0.5 };
  const definition = {
    ...{ key: 'soc.cctv.regency_yearly', version: 1, name: text, formula: text, unit: '%' },
    ...({ subject: 'regency', period: 'year', function: 'availability', arguments: args } as const),
  };
  const question = { definition, args, subject: { regency: 'x' }, period: periodOf('year', '2015') };

  /** Of three devices with as many inputs each. */
  function compute(inputs: number, asked: string[]): Promise<IndicatorRecord> {
    const heartbeats = new Array<HeartbeatInput>(inputs).fill({ ts: 0, state: 'up', shard: 0, offset: 0 });
    const device = (name: string): DeviceInputs => ({
      ...{ site: 'betung', device: name },
      samples: () => Promise.resolve([]),
      heartbeats: () => Promise.resolve((asked.push(name), heartbeats)),
      intervals: () => Promise.resolve([{ from: 0, intervalMs: 1_000 }]),
      registered: () => Promise.resolve(0),
      outOfService: () => Promise.resolve([]),
      reach: () => Promise.resolve(undefined),
      observed: () => Promise.resolve([]),
      awakeUntil: () => Promise.resolve(Date.parse('2020-01-01')),
    });
    return availability.compute(question, ['a', 'b', 'c'].map(device));
  }

  it('is refused before it reads the devices beyond too many inputs', async () => {
    const asked: string[] = [];
    await expect(compute(MAX_INPUTS / 2 + 1, asked)).rejects.toThrow(TOO_MANY);
    expect(asked).toEqual(['a', 'b']);
  });

  it('lets others have their turn while it digests many inputs', async () => {
    let turns = 0;
    const others = (): void => {
      turns++;
      next = setImmediate(others);
    };
    let next = setImmediate(others);
    const { provenance: digested } = await compute(30_000, []);
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(4);
    const inputs = new Array<object>(90_000).fill({ ts: 0, state: 'up', shard: 0, offset: 0 });
    const digest = createHash('sha256').update(canonicalJson(inputs)).digest('hex');
    expect(digested).toMatchObject({ inputs: 90_000, digest });
  });
});
