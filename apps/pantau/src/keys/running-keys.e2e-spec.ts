import 'reflect-metadata';
import { RUNNING, withRunning } from './running-keys.fixture.js';

describe('the keys that only a whole Pantau shows', () => {
  it('change what it does', async () => {
    const seen = (isWith: boolean): Promise<Record<string, unknown>> =>
      withRunning(isWith, async (running) => {
        const all: Record<string, unknown> = {};
        for (const [key, one] of Object.entries(RUNNING)) all[key] = await one.seen(running);
        return all;
      });
    const [without, withKeys] = await Promise.all([seen(false), seen(true)]);
    const expected = Object.entries(RUNNING).map(([key, { expected: both }]) => [key, ...both]);
    expect(Object.keys(RUNNING).map((key) => [key, without[key], withKeys[key]])).toEqual(expected);
  });
});
