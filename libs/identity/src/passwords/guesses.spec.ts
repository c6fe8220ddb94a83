import type { Rate } from '#libs/kernel';
import { Guesses } from './guesses.js';

function counted(perAddress: Rate = { perSecond: 2, burst: 60 }): {
  clock: { at: number; now(): number };
  guesses: Guesses;
} {
  const clock = { at: 1_000_000, now: () => clock.at };
  return { clock, guesses: new Guesses(perAddress, clock) };
}

describe('Guesses', () => {
  it('makes who guesses the password of one name wait twice as long each time, up to five minutes', () => {
    const { clock, guesses } = counted();
    for (let i = 0; i < 4; i++) guesses.failed('192.0.2.1', 'udara-01');
    expect(guesses.mayTry('192.0.2.1', 'udara-01')).toBe(true);
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      guesses.failed('192.0.2.1', 'udara-01');
      const from = clock.at;
      while (!guesses.mayTry('192.0.2.1', 'udara-01')) clock.at += 500;
      waits.push(clock.at - from);
    }
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(300_000);
    // Nobody else waits.
    guesses.failed('192.0.2.1', 'udara-01');
    expect(guesses.mayTry('192.0.2.1', 'udara-01')).toBe(false);
    expect(guesses.mayTry('192.0.2.1', 'udara-02')).toBe(true);
    expect(guesses.mayTry('192.0.2.2', 'udara-01')).toBe(true);
    guesses.succeeded('192.0.2.1', 'udara-01');
    expect(guesses.mayTry('192.0.2.1', 'udara-01')).toBe(true);
  });

  it('meters the wrong guesses of an address; right ones cost nothing', () => {
    const { clock, guesses } = counted({ perSecond: 1, burst: 2 });
    for (let i = 0; i < 10; i++) expect(guesses.mayGuess('192.0.2.1')).toBe(true);
    for (const name of ['a', 'b']) guesses.failed('192.0.2.1', name);
    expect(guesses.mayGuess('192.0.2.1')).toBe(false);
    expect(guesses.mayGuess('192.0.2.2')).toBe(true);
    clock.at += 1_000;
    expect(guesses.mayGuess('192.0.2.1')).toBe(true);
  });
});
