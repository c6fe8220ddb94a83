import 'reflect-metadata';
import { behavioursOf } from './keys.fixture.js';
import { INDICATORS } from './indicators-keys.fixture.js';
import { RULES } from './rules-keys.fixture.js';
import { SITES } from './sites-keys.fixture.js';
import { STORAGE } from './storage-keys.fixture.js';

describe('each key changes what Pantau does', () => {
  it.each(Object.entries({ ...STORAGE, ...RULES, ...INDICATORS, ...SITES }))('%s', async (_key, one) => {
    expect(await behavioursOf(one)).toEqual(one.expected);
  });
});
