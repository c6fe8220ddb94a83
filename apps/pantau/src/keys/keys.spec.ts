import 'reflect-metadata';
import { behavioursOf } from './keys.fixture.js';
import { STORAGE } from './storage-keys.fixture.js';

describe('each key changes what Pantau does', () => {
  it.each(Object.entries({ ...STORAGE }))('%s', async (_key, one) => {
    expect(await behavioursOf(one)).toEqual(one.expected);
  });
});
