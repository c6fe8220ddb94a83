import 'reflect-metadata';
import { RUNNING, withRunning, type Way } from './running-keys.fixture.js';

const seen = (way: Way): Promise<Record<string, unknown>> =>
  withRunning(way, async (running) => {
    const all: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(RUNNING)) all[key] = await one.seen(running);
    return all;
  });

describe('the keys that only a whole Pantau shows', () => {
  it('change what it does', async () => {
    const [without, withKeys] = await Promise.all([seen('without'), seen('file')]);
    const expected = Object.entries(RUNNING).map(([key, { expected: both }]) => [key, ...both]);
    expect(Object.keys(RUNNING).map((key) => [key, without[key], withKeys[key]])).toEqual(expected);
  }, 120_000);

  it('do so too where an environment variable says it', async () => {
    const expected = Object.entries(RUNNING).map(([key, { expected: both }]) => [key, both[1]]);
    expect(await seen('environment')).toEqual(Object.fromEntries(expected));
  }, 120_000);
});
