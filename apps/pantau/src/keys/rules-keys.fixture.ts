import type { AlertEvent } from '#libs/alerting';
import { MINUTE, PantauError } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import { AlertsFixture } from '../../../alerts/src/alerts.fixture.js';
import { alertRules } from '../configuration/configured-files.js';
import { merged, type Case, type Cases } from './keys.fixture.js';

type Value = readonly [minute: number, pm25: number, isDoubtful?: boolean];

const RULE = {
  ...{ id: 'pm25', title: { id: 'Tinggi', en: 'High' }, parameter: 'pm25', severity: 'info' },
  ...{ raise: 100, clear: 80, for: '2m' },
};

/** The steps of the alerts that values of PM2.5 lead to, minute and phase by default. */
const judging =
  (
    values: readonly Value[],
    said: (event: AlertEvent) => unknown = ({ at, phase }) => `${at / MINUTE} ${phase}`,
  ) =>
  async (config: LoadedConfig): Promise<unknown> => {
    await using fixture = await new AlertsFixture().open(alertRules(config));
    await fixture.read(values);
    return (await fixture.events()).map(said);
  };

const ONE: readonly Value[] = [[1, 120]];
const NEVER: readonly string[] = [];

function rule(of: object, values: readonly Value[], expected: Case['expected'], beside: object = {}): Case {
  const file = (more: object): Case['written'] => ({ 'rules.yaml': { rules: [merged(RULE, more)] } });
  return {
    ...{ beside: file(beside), written: file(merged(beside, of)) },
    ...{ behaviour: judging(values), expected },
  };
}

/** A member that an event shows as it is. */
const shown = (of: object, said: (event: AlertEvent) => unknown, expected: Case['expected']): Case => ({
  ...rule(of, ONE, expected),
  behaviour: judging(ONE, said),
});

const PENDING = ['1 pending'];
const FIRING = [...PENDING, '3 firing'];

/** The keys of `rules.yaml`, of every kind of rule, and the name of that file. */
export const RULES: Cases = {
  rules: {
    beside: { 'rules.yaml': { rules: [RULE] }, 'other.yaml': { rules: [] } },
    written: { pantau: { rules: 'other.yaml' } },
    ...{ behaviour: judging(ONE), expected: [PENDING, NEVER] },
  },
  'rules[].id': shown({ id: 'other' }, (event) => event.rule, [['pm25'], ['other']]),
  'rules[].title.id': shown({ title: { id: 'Lain' } }, ({ title }) => title.id, [['Tinggi'], ['Lain']]),
  'rules[].title.en': shown({ title: { en: 'Other' } }, ({ title }) => title.en, [['High'], ['Other']]),
  'rules[].severity': shown({ severity: 'critical' }, (event) => event.severity, [['info'], ['critical']]),
  'rules[].select.sites': rule({ select: { sites: ['sembawa'] } }, ONE, [PENDING, NEVER]),
  'rules[].select.devices': rule({ select: { devices: ['udara-02'] } }, ONE, [PENDING, NEVER]),
  'rules[].parameter': rule({ parameter: 'pm10' }, ONE, [PENDING, NEVER]),
  'rules[].direction': rule({ direction: 'below' }, [[1, 50]], [NEVER, PENDING], { clear: 100 }),
  'rules[].raise': rule({ raise: 130 }, ONE, [PENDING, NEVER]),
  'rules[].clear': rule(
    { clear: 100 },
    [
      [1, 120],
      [2, 90],
    ],
    [PENDING, [...PENDING, '2 cancelled']],
  ),
  'rules[].for': rule(
    { for: '5m' },
    [
      [1, 120],
      [3, 120],
    ],
    [FIRING, PENDING],
  ),
  'rules[].maxGap': rule(
    { maxGap: '1m' },
    [
      [1, 120],
      [3, 120],
    ],
    [FIRING, [...PENDING, '3 cancelled', '3 pending']],
  ),
  'rules[].includeSuspect': rule({ includeSuspect: true }, [[1, 120, true]], [NEVER, PENDING]),
  'rules[].kind': {
    ...rule({ kind: 'treshold' }, ONE, [PENDING, 'CONFIG_INVALID']),
    behaviour: (config) =>
      judging(ONE)(config).catch((error: unknown) => (error instanceof PantauError ? error.code : error)),
  },
};
