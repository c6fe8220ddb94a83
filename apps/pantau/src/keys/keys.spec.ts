import 'reflect-metadata';
import { RULE_KINDS, rulesFileSchema } from '#libs/alerting';
import { INDICATOR_FUNCTIONS, indicatorsFileSchema } from '#libs/indicators';
import { configSchema, ENVIRONMENT_VARIABLES } from '#libs/platform';
import { sitesFileSchema } from '../configuration/sites-file.js';
import { ARRIVAL } from './arrival-keys.fixture.js';
import { INDICATORS } from './indicators-keys.fixture.js';
import { behaviourByVariable, behavioursOf, keysOf, type Cases } from './keys.fixture.js';
import { MQTT } from './mqtt-keys.fixture.js';
import { INGEST, limitKeys, LIMITS } from './quality-keys.fixture.js';
import { RULES } from './rules-keys.fixture.js';
import { RUNNING } from './running-keys.fixture.js';
import { SIGN_ON } from './sign-on-keys.fixture.js';
import { SITES } from './sites-keys.fixture.js';
import { STORAGE } from './storage-keys.fixture.js';

/** The keys of each file, from its schema; members of a rule and of the arguments of an indicator from those of each kind. */
const KEYS = {
  'pantau.yaml': keysOf(configSchema),
  'sites.yaml': keysOf(sitesFileSchema),
  'rules.yaml': [
    ...keysOf(rulesFileSchema),
    ...Object.values(RULE_KINDS).flatMap(({ schema }) => keysOf(schema, 'rules[]')),
  ],
  'a file of indicators': [
    ...keysOf(indicatorsFileSchema).filter((key) => key !== 'indicators[].arguments'),
    ...Object.values(INDICATOR_FUNCTIONS).flatMap((of) => keysOf(of.arguments, 'indicators[].arguments')),
  ],
  'a file of quality limits': limitKeys(),
};
/** Those that a test changes here, in mqtt-keys.spec.ts and in running-keys.e2e-spec.ts. */
const HERE: Cases = {
  ...STORAGE,
  ...RULES,
  ...INDICATORS,
  ...SITES,
  ...ARRIVAL,
  ...INGEST,
  ...LIMITS,
  ...SIGN_ON,
};
const TESTED = [...Object.keys({ ...HERE, ...RUNNING, ...MQTT })];

describe('the table of keys', () => {
  it.each(Object.entries(KEYS))('holds every key of %s', (_file, keys) => {
    expect(keys.length).toBeGreaterThan(3);
    expect(keys.filter((key) => !TESTED.includes(key))).toEqual([]);
  });

  it('holds no key that does not exist, and none twice', () => {
    const known = new Set(Object.values(KEYS).flat());
    expect(TESTED.filter((key) => !known.has(key))).toEqual([]);
    const tables = [STORAGE, RULES, INDICATORS, SITES, ARRIVAL, INGEST, LIMITS, SIGN_ON, RUNNING, MQTT];
    expect(tables.flatMap((table) => Object.keys(table))).toHaveLength(TESTED.length);
  });
});

describe('each key changes what Pantau does', () => {
  it.each(Object.entries(HERE))('%s', async (_key, one) => {
    expect(await behavioursOf(one)).toEqual(one.expected);
  });
});

describe('each environment variable does what the key does that it stands for', () => {
  const variables = Object.entries(ENVIRONMENT_VARIABLES).filter(([, key]) => HERE[key] !== undefined);

  it.each(variables)('%s: %s', async (name, key) => {
    const one = HERE[key]!;
    expect(await behaviourByVariable(name, key, one)).toEqual(one.expected[1]);
  });

  it('the others are shown in mqtt-keys.spec.ts and in running-keys.e2e-spec.ts', () => {
    const others = Object.values(ENVIRONMENT_VARIABLES).filter((key) => HERE[key] === undefined);
    expect(others.filter((key) => !Object.hasOwn({ ...MQTT, ...RUNNING }, key))).toEqual([]);
    expect(variables.length + others.length).toBe(Object.keys(ENVIRONMENT_VARIABLES).length);
  });
});
