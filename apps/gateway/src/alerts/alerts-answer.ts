import { ALERT_PHASES, SEVERITIES } from '#libs/alerting';
import { z } from 'zod';
import { instantText, json, listOf, parameterCode, text } from '../http/answer.js';

const phase = z.enum(ALERT_PHASES);

const told = z.union([
  z.strictObject({ parameter: parameterCode }),
  z.strictObject({ number: z.number(), of: parameterCode }),
  z.strictObject({ at: instantText }),
]);

/** Beside what every alert has stands the detail of its kind; that of a threshold is named here. */
export const alertSchema = z
  .object({
    alert: z.string().describe('`{rule}/{device}/{since}`'),
    rule: z.string(),
    ruleVersion: z.string().describe('Digest of the content of the rule'),
    ruleKind: z.string(),
    severity: z.enum(SEVERITIES),
    title: text,
    site: z.string(),
    device: z.string(),
    kind: phase.describe('The same as state'),
    state: phase,
    at: instantText.describe('When it came into this state, device time'),
    since: instantText.describe('Since when that lasts of which it tells'),
    value: z.number().optional().describe('That led to the state'),
    explanation: text
      .extend({
        message: z.string().describe('`{kind}.{message}`: which sentence it is'),
        values: z
          .record(z.string(), told)
          .describe(
            'What the sentence names: a parameter, a value in the unit of its parameter, or an instant',
          ),
      })
      .optional()
      .describe(
        'In one sentence for people, times in WIB, and as data; absent for a kind of rule that this version does not know',
      ),
    parameter: parameterCode.optional(),
    raise: z.number().optional(),
    clear: z.number().optional(),
    evidence: z.array(z.strictObject({ ts: instantText, value: z.number() })).optional(),
    history: z.array(z.strictObject({ kind: phase, at: instantText, value: z.number().optional() })),
  })
  .catchall(json)
  .meta({ id: 'Alert' });

export const alertsSchema = listOf(alertSchema);
