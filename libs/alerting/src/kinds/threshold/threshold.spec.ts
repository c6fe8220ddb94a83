import fc from 'fast-check';
import { concatMap, from, lastValueFrom, map, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { AlertPhase, AlertStep, ReadingInput } from '../../rule-kind.js';
import { threshold } from './index.js';
import { INACTIVE, step, type ThresholdDetail } from './reducer.js';
import { thresholdRuleSchema, type ThresholdRule } from './schema.js';

type Step = AlertStep<ThresholdDetail>;

const rule: ThresholdRule = thresholdRuleSchema.parse({
  id: 'pm25-high',
  title: { id: 'PM2,5 tinggi', en: 'PM2.5 high' },
  parameter: 'pm25',
  raise: 150,
  clear: 120,
  for: '3ms',
  severity: 'critical',
});

const reading = (ts: number, value: number, standing: ReadingInput['standing'] = 'sound'): ReadingInput => ({
  ts,
  parameter: 'pm25',
  value,
  standing,
});

/** Virtual time: a marble's frame is the event time of its reading. */
function run(input: string, expected: string, maxGapMs = 1_000, ruleUnderTest = rule): void {
  const values: Record<string, number> = { l: 100, m: 130, h: 160, c: 120, r: 150 };
  const scheduler = new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted));
  scheduler.run(({ cold, expectObservable }) => {
    const readings = cold(input).pipe(map((letter) => reading(scheduler.now(), values[letter]!)));
    const letters = { pending: 'P', firing: 'F', resolved: 'R', cancelled: 'C' };
    expectObservable(
      readings.pipe(
        threshold.judge({ ...ruleUnderTest, maxGap: maxGapMs } as ThresholdRule, { intervalMs: 1 }, INACTIVE),
        concatMap(({ steps }) => steps),
        map(({ phase }) => letters[phase]),
      ),
    ).toBe(expected);
  });
}

describe('a threshold rule in event time', () => {
  it('is pending at the first breach and fires once it has lasted', () => run('l-h-hh-', '--P--F-'));
  it('does not fire when the value clears before that', () => run('h-l-h-l', 'P-C-P-C'));
  it('resolves when the value clears', () => run('h---h-l', 'P---F-R'));
  it('holds between the two levels, where nothing begins either', () => run('m-h---m-m-l', '--P---F---R'));
  it('counts the raise level itself as a breach and the clear level itself as not yet cleared', () =>
    run('r---c-c-l', 'P---F---R'));
  it('fires at once when nothing has to last', () => run('h-----l', '(PF)--R', 1_000, { ...rule, for: 0 }));
  it('does not take silence for a lasting breach', () => run('h-----h---h', 'P-----(CP)F', 4));
});

describe('step', () => {
  it('keeps the readings that led to the alert', () => {
    let state = INACTIVE;
    let fired: Step | undefined;
    for (const input of [reading(0, 100), reading(1, 160), reading(2, 170), reading(4, 180)]) {
      const result = step(rule, state, input, 1_000);
      state = result.state;
      fired = result.steps.find(({ phase }) => phase === 'firing') ?? fired;
    }
    expect(fired).toEqual({
      phase: 'firing',
      at: 4,
      since: 1,
      value: 180,
      detail: {
        ...{ parameter: 'pm25', raise: 150, clear: 120 },
        evidence: [
          { ts: 1, value: 160 },
          { ts: 2, value: 170 },
          { ts: 4, value: 180 },
        ],
      },
    });
  });

  it('takes unusual values, ignores failed ones, and takes doubtful ones where the rule asks for them', () => {
    expect(step(rule, INACTIVE, reading(1, 900, 'unusual'), 1_000).steps).toHaveLength(1);
    expect(step(rule, INACTIVE, reading(1, 900, 'failed'), 1_000).steps).toEqual([]);
    expect(step(rule, INACTIVE, reading(1, 600, 'doubtful'), 1_000).steps).toEqual([]);
    expect(
      step({ ...rule, includeSuspect: true }, INACTIVE, reading(1, 600, 'doubtful'), 1_000).steps,
    ).toHaveLength(1);
    expect(
      step({ ...rule, includeSuspect: true }, INACTIVE, reading(1, 900, 'missing'), 1_000).steps,
    ).toEqual([]);
  });

  it('watches for low values as well', () => {
    const low = thresholdRuleSchema.parse({ ...rule, for: '0ms', direction: 'below', raise: 20, clear: 30 });
    expect(step(low, INACTIVE, reading(1, 25), 1_000).steps).toEqual([]);
    const { state, steps } = step(low, INACTIVE, reading(1, 20), 1_000);
    expect(steps.map(({ phase }) => phase)).toEqual(['pending', 'firing']);
    expect(step(low, state, reading(2, 31), 1_000).steps.map(({ phase }) => phase)).toEqual(['resolved']);
  });

  const readings = fc.array(
    fc.record({
      type: fc.constant('reading' as const),
      parameter: fc.constant('pm25' as const),
      ts: fc.nat({ max: 60 }),
      value: fc.constantFrom(100, 119, 120, 130, 150, 160),
      standing: fc.constantFrom('sound', 'unusual', 'doubtful', 'failed'),
    }),
    { maxLength: 60 },
  );
  const runAll = async (
    list: readonly ReadingInput[],
    initial: unknown = INACTIVE,
  ): Promise<{ state: unknown; steps: readonly AlertStep[] }> => {
    const judged = await lastValueFrom(
      from(list).pipe(
        threshold.judge({ ...rule, maxGap: 8 } as ThresholdRule, { intervalMs: 1 }, initial),
        toArray(),
      ),
    );
    return {
      state: judged.at(-1)?.state ?? initial,
      steps: judged.flatMap(({ steps }) => steps),
    };
  };

  const throughStore = (state: unknown): unknown =>
    threshold.form.unpack(JSON.parse(JSON.stringify(threshold.form.pack(state))) as unknown[]);

  it('gives the same steps after a restart at any point, the state kept in its stored form', () =>
    fc.assert(
      fc.asyncProperty(readings, fc.nat({ max: 60 }), async (list, cut) => {
        const whole = await runAll(list);
        const first = await runAll(list.slice(0, cut));
        const second = await runAll(list.slice(cut), throughStore(first.state));
        expect([...first.steps, ...second.steps]).toEqual(whole.steps);
        expect(second.state).toEqual(whole.state);
      }),
    ));

  it('never fires before the breach has lasted, never twice without resolving, and is not moved by repeats', () =>
    fc.assert(
      fc.asyncProperty(readings, async (list) => {
        const { steps } = await runAll(list);
        let open: AlertPhase | undefined;
        for (const { phase, at, since } of steps) {
          if (phase === 'firing') expect(at - since).toBeGreaterThanOrEqual(rule.for);
          const allowed = {
            pending: [undefined],
            firing: ['pending'],
            cancelled: ['pending'],
            resolved: ['firing'],
          }[phase] as unknown[];
          expect(allowed).toContain(open);
          open = phase === 'resolved' || phase === 'cancelled' ? undefined : phase;
        }
        const repeated = await runAll(list.flatMap((one) => [one, one]));
        expect(repeated.steps).toEqual(steps);
      }),
    ));
});
