import { QC_TESTS } from './flags.js';
import { entersAlerts, entersFigures, judgementOf, markOf, standingOf, SUSPICION_OF } from './standing.js';

describe('the standing of a value', () => {
  it.each([
    [1, [], 'sound'],
    [3, ['gross_range'], 'unusual'],
    [3, ['gross_range', 'rate_of_change', 'cross_parameter'], 'unusual'],
    [3, ['gross_range', 'humidity'], 'doubtful'],
    [3, ['clock'], 'doubtful'],
    [3, ['clock_ahead'], 'unusual'],
    [3, ['device'], 'doubtful'],
    [3, ['a test of a later version'], 'doubtful'],
    [4, ['gross_range'], 'failed'],
    [2, [], 'unjudged'],
    [9, [], 'missing'],
  ] as const)('of flag %p by %p is %p, also after it was stored as a digit', (flag, failed, standing) => {
    expect(standingOf({ flag, failed })).toBe(standing);
    expect(judgementOf(markOf({ flag, failed }))).toEqual({ flag, standing });
    expect(markOf({ flag, failed })).toBeLessThan(10);
  });

  it('of a suspect value that was stored before these were told apart is unusual', () => {
    expect(judgementOf(3)).toEqual({ flag: 3, standing: 'unusual' });
  });

  it('lets sound and unusual values into figures and alerts, and a rule may ask for doubtful ones', () => {
    const all = ['sound', 'unusual', 'doubtful', 'failed', 'unjudged', 'missing'] as const;
    expect(all.filter(entersFigures)).toEqual(['sound', 'unusual']);
    expect(all.filter((standing) => entersAlerts(standing, false))).toEqual(['sound', 'unusual', 'unjudged']);
    expect(all.filter((standing) => entersAlerts(standing, true))).toEqual([
      'sound',
      'unusual',
      'doubtful',
      'unjudged',
    ]);
  });

  it('is known for every test', () => {
    expect(Object.keys(SUSPICION_OF).toSorted()).toEqual([...QC_TESTS].toSorted());
  });
});
