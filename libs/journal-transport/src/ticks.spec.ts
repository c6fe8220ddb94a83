import { Bell } from './bell.js';
import { Ticks, Turns } from './ticks.js';

describe('ticks', () => {
  it('are the same for all that count them, and ring whoever waits for the next one', async () => {
    const [one, other] = [new Ticks(20), new Ticks(20)];
    const bell = new Bell();
    const { last } = one;
    one.ringAtNext(bell);
    await bell.rung();
    expect(one.last).toBeGreaterThan(last);
    expect(other.last).toBeGreaterThanOrEqual(one.last);
  });

  it('are not rung early, though a timer may be', async () => {
    const ticks = new Ticks(20, () => performance.now() / 2);
    const bell = new Bell();
    const { last } = ticks;
    ticks.ringAtNext(bell);
    await bell.rung();
    expect(ticks.last).toBeGreaterThan(last);
  });

  it('ring nobody after their end', async () => {
    const ticks = new Ticks(1);
    const bell = new Bell();
    ticks.ringAtNext(bell);
    ticks.end();
    const after = new Bell();
    new Ticks(5).ringAtNext(after);
    await Promise.race([bell.rung().then(() => Promise.reject(new Error('rung'))), after.rung()]);
  });
});

describe('turns', () => {
  let now = 0;
  const turns = (perTick: number): Turns => new Turns(new Ticks(200, () => now), perTick);

  it.each([1, 2])('are at most %d until the next tick, however they are taken', (perTick) => {
    now = 2_190;
    const some = turns(perTick);
    for (let i = 0; i < perTick; i++) {
      expect(some.isLeft).toBe(true);
      some.take();
    }
    now = 2_199;
    expect(some.isLeft).toBe(false);
    now = 2_200;
    expect(some.isLeft).toBe(true);
    for (let i = 0; i < perTick; i++) some.take();
    expect(some.isLeft).toBe(false);
  });

  it('that were not taken are not saved', () => {
    now = 1_000;
    const some = turns(2);
    some.take();
    now = 3_000;
    some.take();
    some.take();
    expect(some.isLeft).toBe(false);
  });
});
