import { scan } from 'rxjs';
import { defineRuleKind, type Judged } from '../../rule-kind.js';
import { explainThreshold, thresholdMessages } from './explain.js';
import { end, INACTIVE, step, type ThresholdDetail, type ThresholdState } from './reducer.js';
import { thresholdRuleSchema } from './schema.js';
import { thresholdForm } from './state-form.js';

/** A pending breach is believed across this many missing reports. */
const DEFAULT_GAP_INTERVALS = 3;

/** A value at or beyond a level, for some time. */
export const threshold = defineRuleKind({
  schema: thresholdRuleSchema,
  durations: ['for', 'maxGap'],
  inputs: ({ parameter }) => [parameter],
  initial: INACTIVE,
  form: thresholdForm,
  judge(rule, { intervalMs }, initial) {
    const maxGap = rule.maxGap ?? DEFAULT_GAP_INTERVALS * intervalMs;
    return scan(
      (before: Judged<ThresholdState, ThresholdDetail>, reading) => step(rule, before.state, reading, maxGap),
      { state: initial, steps: [] },
    );
  },
  end,
  messages: thresholdMessages,
  explain: explainThreshold,
});
