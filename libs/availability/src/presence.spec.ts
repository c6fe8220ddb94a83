import { isFlap, presenceAt, type BrokerRun, type LastConnection } from './presence.js';

const policy = { graceMs: 60_000, brokerSilenceMs: 30_000 };
const connected: LastConnection = {
  state: 'connected',
  at: 0,
  byShutdown: false,
  run: 'first',
  silenceMs: 90_000,
};
const lost: LastConnection = { ...connected, state: 'disconnected', at: 100_000 };
const shutDown: LastConnection = { ...connected, state: 'disconnected', at: 100_000, byShutdown: true };
const run = (name: string, startedAt: number, seenAt: number, stopped = false): BrokerRun => ({
  run: name,
  startedAt,
  seenAt,
  stopped,
});

describe('presenceAt', () => {
  it.each<[string, LastConnection, BrokerRun[], number, string]>([
    ['a connection that its broker holds', connected, [run('first', 0, 990_000)], 1_000_000, 'connected'],
    ['a connection lost a moment ago', lost, [run('first', 0, 130_000)], 130_000, 'reconnecting'],
    ['a connection lost for longer', lost, [run('first', 0, 200_000)], 160_000, 'disconnected'],
    [
      'a connection whose broker was killed, nobody listens',
      connected,
      [run('first', 0, 100_000)],
      900_000,
      'unknown',
    ],
    [
      'a connection that ended with the broker',
      shutDown,
      [run('first', 0, 100_000, true)],
      900_000,
      'unknown',
    ],
    [
      'a device that has not returned yet to the next broker',
      shutDown,
      [run('first', 0, 100_000, true), run('second', 500_000, 580_000)],
      590_000,
      'unknown',
    ],
    [
      'a device that has not returned although its keep-alive has passed',
      shutDown,
      [run('first', 0, 100_000, true), run('second', 500_000, 580_000)],
      590_001,
      'disconnected',
    ],
    [
      'a device of a killed replica, beside one that has listened all along: counted from the death',
      connected,
      [run('first', 0, 500_000), run('other', 0, 590_000)],
      590_000,
      'unknown',
    ],
    [
      'a device of a run that is forgotten',
      connected,
      [run('second', 10_000, 200_000)],
      200_000,
      'disconnected',
    ],
  ])('%s', (_name, last, runs, now, expected) => {
    expect(presenceAt(last, runs, now, policy)).toBe(expected);
  });
});

describe('isFlap', () => {
  it.each<[LastConnection | undefined, number, boolean]>([
    [lost, 120_000, true],
    [lost, 160_000, false],
    [shutDown, 120_000, false],
    [connected, 120_000, false],
    [undefined, 120_000, false],
  ])('%p at %p: %p', (before, at, expected) => expect(isFlap(before, at, policy.graceMs)).toBe(expected));
});
