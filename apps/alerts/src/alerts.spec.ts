import { RULE_KINDS, rulesFileSchema, ruleText, type AlertRule, type RuleKind } from '#libs/alerting';
import { MINUTE } from '#libs/kernel';
import { createHash } from 'node:crypto';
import { AlertsFixture, PLACE } from './alerts.fixture.js';

const [RULE] = rulesFileSchema.parse({
  rules: [
    {
      ...{ id: 'pm25', title: { id: 'Tinggi', en: 'High' }, parameter: 'pm25', severity: 'info' },
      ...{ raise: 100, clear: 80, for: '2m' },
    },
  ],
}).rules as [AlertRule];
const SLOW = { ...RULE, id: 'slow', for: 20 * MINUTE } as AlertRule;
const VERSION = createHash('sha256').update(ruleText(RULE)).digest('hex').slice(0, 12);

describe('the alerts stage', () => {
  it('appends steps with subject, kind and what the kind says', async () => {
    await using fixture = await new AlertsFixture().open([RULE]);
    await fixture.read([
      [1, 120],
      [3, 130],
    ]);
    const [pending, firing] = await fixture.events();
    expect(firing).toEqual({
      ...{ alert: `pm25/udara-01/${MINUTE}`, rule: 'pm25', ruleVersion: VERSION, kind: 'threshold' },
      ...{ severity: 'info', title: { id: 'Tinggi', en: 'High' }, subject: PLACE },
      ...{ phase: 'firing', at: 3 * MINUTE, since: MINUTE, value: 130 },
      detail: {
        ...{ parameter: 'pm25', raise: 100, clear: 80 },
        evidence: [
          { ts: MINUTE, value: 120 },
          { ts: 3 * MINUTE, value: 130 },
        ],
      },
    });
    expect(pending).toMatchObject({ phase: 'pending', value: 120 });
  });

  it('ends what is under way of a device that is taken out of service, and judges it again when it is back', async () => {
    await using fixture = await new AlertsFixture().open([RULE, SLOW]);
    await fixture.read([
      [1, 120],
      [3, 130],
    ]);
    await fixture.serve('revoked', 5);
    await fixture.pass(4);
    expect(await fixture.events()).toHaveLength(3);
    await fixture.pass(6);
    // A gateway goes on to send for it; that alarms nobody.
    await fixture.read([
      [7, 150],
      [10, 150],
    ]);
    await fixture.pass(11);
    await fixture.serve('open', 12);
    await fixture.pass(13);
    await fixture.read([
      [14, 150],
      [16, 150],
    ]);
    const steps = (await fixture.events()).map(({ rule, phase, at, since, value }) =>
      [rule, phase, at / MINUTE, since / MINUTE, value].join(' '),
    );
    expect(steps).toEqual([
      'pm25 pending 1 1 120',
      'pm25 firing 3 1 130',
      'slow pending 1 1 120',
      'pm25 resolved 6 1 ',
      'slow cancelled 6 1 ',
      'pm25 pending 14 14 150',
      'pm25 firing 16 14 150',
      'slow pending 14 14 150',
    ]);
    const [ended] = (await fixture.events()).filter(({ phase }) => phase === 'resolved');
    expect(RULE_KINDS.threshold.explain(ended!).message).toBe('outOfService');
  });

  it('sets aside the state of a rule that its kind cannot read, names it, and goes on with the other rules', async () => {
    const kinds: Record<string, RuleKind> = RULE_KINDS;
    const { threshold } = RULE_KINDS;
    const unpack = (): never => {
      throw new Error('no such form');
    };
    kinds['fragile'] = { ...threshold, form: { ...threshold.form, unpack } };
    try {
      const fragile = { ...RULE, id: 'fragile', kind: 'fragile' };
      const key = `fragile/${createHash('sha256').update(ruleText(fragile)).digest('hex').slice(0, 12)}`;
      await using fixture = await new AlertsFixture().open([fragile, RULE]);
      // The other rule is pending since the first minute.
      const value = [
        [key, 'of another form'],
        [`pm25/${VERSION}`, 1, MINUTE, MINUTE, MINUTE, 120],
      ];
      await fixture.state.write([{ namespace: 'alerts/device-states', key: PLACE.device, value }]);
      await fixture.read([[3, 130]]);
      await fixture.read([[4, 130]]);
      expect((await fixture.events()).map(({ rule, phase, since }) => [rule, phase, since / MINUTE])).toEqual(
        [
          ['fragile', 'pending', 3],
          ['pm25', 'firing', 1],
          // Its state of now cannot be read either, so it begins anew again.
          ['fragile', 'pending', 4],
        ],
      );
      expect(fixture.unreadable).toEqual([
        `alerts/device-states/udara-01/${key}: it is no state of a rule of kind fragile (caused by: no such form)`,
      ]);
      const { next } = await fixture.journal.extent('rejected', 0);
      expect(next).toBe(0);
    } finally {
      delete kinds['fragile'];
    }
  });

  it('goes on with the states and after the entries of a version that knew thresholds alone', async () => {
    await using fixture = await new AlertsFixture().open([RULE]);
    // As that version stored them: firing since the first minute.
    const key = `pm25/${VERSION}`;
    const value = [[key, 2, 3 * MINUTE, MINUTE, MINUTE, 120]];
    await fixture.state.write([{ namespace: 'alerts/device-states', key: PLACE.device, value }]);
    const flat = {
      ...{
        kind: 'firing',
        at: 3 * MINUTE,
        since: MINUTE,
        value: 130,
        evidence: [{ ts: MINUTE, value: 120 }],
      },
      ...{ alert: `pm25/udara-01/${MINUTE}`, rule: 'pm25', ruleVersion: VERSION, severity: 'info' },
      ...{ title: { id: 'Tinggi', en: 'High' }, ...PLACE, parameter: 'pm25', raise: 100, clear: 80 },
    } as const;
    await fixture.journal.append('alerts', [{ key: PLACE.device, data: flat }]);
    await fixture.read([[4, 70]]);
    const [firing, resolved, ...more] = await fixture.events();
    expect(more).toEqual([]);
    expect(firing).toMatchObject({ phase: 'firing', subject: PLACE, detail: { raise: 100 } });
    expect(resolved).toMatchObject({ phase: 'resolved', alert: firing?.alert, since: MINUTE, value: 70 });
  });
});
