import type { ProgrammeFinding } from './findings.js';
import { problemsOf } from './problems.js';
import { readScenarioFile, scenarioOf } from '../scenario.js';

const { file } = readScenarioFile('programme-devices');
const scenario = scenarioOf({ name: 'programme-devices', file, now: 0 });
const none = {
  ...{ messages: { sent: 1, acknowledged: 1 }, values: { sent: 0, stored: 0 } },
  ...{
    flags: [],
    soundValues: { count: 0, flagged: 0 },
    availability: [],
    alerts: [],
    means: [],
    indices: [],
  },
};
const bin: ProgrammeFinding = {
  ...{ device: 'program-bak-1', kind: 'bin', value: 'fill_level' },
  ...{ sent: 10, arrived: 10, as: 'unknown_parameter', taken: 0 },
};

describe('what Pantau cannot take yet', () => {
  it.each<[string, ProgrammeFinding, RegExp | undefined]>([
    ['is refused by name', bin, undefined],
    [
      'is lost without a word',
      { ...bin, arrived: 9 },
      /1 of 10 values fill_level of program-bak-1 are not refused by name/,
    ],
    [
      'is taken after all',
      { ...bin, taken: 10 },
      /Pantau has learnt to take them; correct what expect\.notYet/,
    ],
    [
      'is kept as something else',
      { ...bin, device: 'program-timbang', as: 'event', arrived: 7 },
      /3 of 10 messages of program-timbang are not kept as the event that they were/,
    ],
  ])('%s', (_name, finding, problem) => {
    const problems = problemsOf(scenario, { ...none, programmes: [finding] });
    expect(problems).toEqual(problem === undefined ? [] : [expect.stringMatching(problem)]);
  });
});
