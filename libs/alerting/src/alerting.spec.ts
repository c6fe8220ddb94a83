import fc from 'fast-check';
import { from, lastValueFrom, map, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { thresholdSteps, thresholdTransitions } from './operators.js';
import { rulesFileSchema, thresholdRuleSchema, type ThresholdRule } from './rule.js';
import { INACTIVE, step, type AlertReading, type AlertState, type AlertTransition } from './threshold.js';

const rule: ThresholdRule = thresholdRuleSchema.parse({
  id: 'pm25-high',
  title: { id: 'PM2,5 tinggi', en: 'PM2.5 high' },
  parameter: 'pm25',
  raise: 150,
  clear: 120,
  for: '3ms',
  severity: 'critical',
});

/** Virtual time: a marble's frame is the event time of its reading. */
function run(input: string, expected: string, maxGapMs = 1_000, ruleUnderTest = rule): void {
  const values: Record<string, number> = { l: 100, m: 130, h: 160, c: 120, r: 150 };
  const scheduler = new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted));
  scheduler.run(({ cold, expectObservable }) => {
    const readings = cold(input).pipe(
      map((letter): AlertReading => ({ ts: scheduler.now(), value: values[letter]!, standing: 'sound' })),
    );
    const letters = { pending: 'P', firing: 'F', resolved: 'R', cancelled: 'C' };
    expectObservable(
      readings.pipe(
        thresholdTransitions(ruleUnderTest, maxGapMs),
        map(({ kind }) => letters[kind]),
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
  const at = (ts: number, value: number, standing: AlertReading['standing'] = 'sound'): AlertReading => ({
    ts,
    value,
    standing,
  });

  it('keeps the readings that led to the alert', () => {
    let state = INACTIVE;
    let fired: AlertTransition | undefined;
    for (const reading of [at(0, 100), at(1, 160), at(2, 170), at(4, 180)]) {
      const result = step(rule, state, reading, 1_000);
      state = result.state;
      fired = result.transitions.find(({ kind }) => kind === 'firing') ?? fired;
    }
    expect(fired).toEqual({
      kind: 'firing',
      at: 4,
      since: 1,
      value: 180,
      evidence: [
        { ts: 1, value: 160 },
        { ts: 2, value: 170 },
        { ts: 4, value: 180 },
      ],
    });
  });

  it('takes unusual values, ignores failed ones, and takes doubtful ones where the rule asks for them', () => {
    expect(step(rule, INACTIVE, at(1, 900, 'unusual'), 1_000).transitions).toHaveLength(1);
    expect(step(rule, INACTIVE, at(1, 900, 'failed'), 1_000).transitions).toEqual([]);
    expect(step(rule, INACTIVE, at(1, 600, 'doubtful'), 1_000).transitions).toEqual([]);
    expect(
      step({ ...rule, includeSuspect: true }, INACTIVE, at(1, 600, 'doubtful'), 1_000).transitions,
    ).toHaveLength(1);
    expect(
      step({ ...rule, includeSuspect: true }, INACTIVE, at(1, 900, 'missing'), 1_000).transitions,
    ).toEqual([]);
  });

  it('watches for low values as well', () => {
    const low = thresholdRuleSchema.parse({ ...rule, for: '0ms', direction: 'below', raise: 20, clear: 30 });
    expect(step(low, INACTIVE, at(1, 25), 1_000).transitions).toEqual([]);
    const { state, transitions } = step(low, INACTIVE, at(1, 20), 1_000);
    expect(transitions.map(({ kind }) => kind)).toEqual(['pending', 'firing']);
    expect(step(low, state, at(2, 31), 1_000).transitions.map(({ kind }) => kind)).toEqual(['resolved']);
  });

  const readings = fc.array(
    fc.record({
      ts: fc.nat({ max: 60 }),
      value: fc.constantFrom(100, 119, 120, 130, 150, 160),
      standing: fc.constantFrom('sound', 'unusual', 'doubtful', 'failed'),
    }),
    { maxLength: 60 },
  );
  const runAll = async (
    list: readonly AlertReading[],
    initial: AlertState = INACTIVE,
  ): Promise<{ state: AlertState; transitions: AlertTransition[] }> => {
    const steps = await lastValueFrom(from(list).pipe(thresholdSteps(rule, 8, initial), toArray()));
    return {
      state: steps.at(-1)?.state ?? initial,
      transitions: steps.flatMap(({ transitions }) => transitions),
    };
  };

  it('gives the same transitions after a restart at any point, the state kept as JSON', () =>
    fc.assert(
      fc.asyncProperty(readings, fc.nat({ max: 60 }), async (list, cut) => {
        const whole = await runAll(list);
        const first = await runAll(list.slice(0, cut));
        const second = await runAll(list.slice(cut), JSON.parse(JSON.stringify(first.state)) as AlertState);
        expect([...first.transitions, ...second.transitions]).toEqual(whole.transitions);
        expect(second.state).toEqual(whole.state);
      }),
    ));

  it('never fires before the breach has lasted, never twice without resolving, and is not moved by repeats', () =>
    fc.assert(
      fc.asyncProperty(readings, async (list) => {
        const { transitions } = await runAll(list);
        let open: AlertTransition['kind'] | undefined;
        for (const { kind, at, since } of transitions) {
          if (kind === 'firing') expect(at - since).toBeGreaterThanOrEqual(rule.for);
          const allowed = {
            pending: [undefined],
            firing: ['pending'],
            cancelled: ['pending'],
            resolved: ['firing'],
          }[kind] as unknown[];
          expect(allowed).toContain(open);
          open = kind === 'resolved' || kind === 'cancelled' ? undefined : kind;
        }
        const repeated = await runAll(list.flatMap((reading) => [reading, reading]));
        expect(repeated.transitions).toEqual(transitions);
      }),
    ));
});

describe('rules', () => {
  it('refuses a clear level on the wrong side, and two rules of one id', () => {
    const raw = {
      id: 'a',
      title: { id: 'a', en: 'a' },
      parameter: 'pm25',
      raise: 100,
      clear: 120,
      for: '1h',
      severity: 'info',
    };
    expect(thresholdRuleSchema.safeParse(raw).error?.issues[0]).toMatchObject({ path: ['clear'] });
    const good = { ...raw, clear: 90 };
    expect(rulesFileSchema.safeParse({ rules: [good, good] }).error?.issues[0]?.message).toBe(
      'rule ids must differ',
    );
  });
});
