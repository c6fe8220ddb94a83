import { LmdbStateStore } from '#libs/engine-lmdb';
import { DAY, type UtcMillis } from '#libs/kernel';
import { temporaryFolder } from '#libs/testing';
import { hostname } from 'node:os';
import { CLAIMS } from '../namespaces.js';
import { claimShards, isInterrupted } from './claims.js';

const START = 1_700_000_000_000;
const logger = { warn: () => undefined } as never;

function open(): { state: LmdbStateStore; clock: { at: UtcMillis; now(): UtcMillis } } & AsyncDisposable {
  const folder = temporaryFolder('claims');
  const state = LmdbStateStore.open(folder.path, () => undefined);
  const clock = { at: START, now: (): UtcMillis => clock.at };
  return {
    state,
    clock,
    async [Symbol.asyncDispose]() {
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}

it('a stage is interrupted while nobody runs it, for a day: then it is out of service', async () => {
  await using fixture = open();
  const { state, clock } = fixture;
  const isDown = (): Promise<boolean> => isInterrupted('http-intake', 2, { state, clock });
  expect(await isDown()).toBe(false);
  const release = await claimShards(['http-intake'], [0, 1], { state, clock, logger });
  expect(await isDown()).toBe(false);
  await release();
  expect(await isDown()).toBe(true);
  clock.at += DAY + 1;
  expect(await isDown()).toBe(false);
});

it('a stage whose process was killed is interrupted', async () => {
  await using fixture = open();
  const { state, clock } = fixture;
  // No process has this number: it is beyond those that Linux gives.
  const killed = { host: hostname(), pid: 2 ** 22 + 1, started: '1', at: START };
  await state.write([0, 1].map((shard) => CLAIMS.put(`http-intake/${shard}/0000000000`, killed)));
  expect(await isInterrupted('http-intake', 2, { state, clock })).toBe(true);
});

it('a claim that cannot be read keeps nobody from claiming', async () => {
  await using fixture = open();
  const { state, clock } = fixture;
  await state.write([{ namespace: 'claims', key: 'ingest/0/0000000000', value: { host: 7 } }]);
  const release = await claimShards(['ingest'], [0], { state, clock, logger });
  expect((await state.list(CLAIMS)).map(({ key, value: { pid } }) => [key, pid])).toEqual([
    ['ingest/0/0000000000', process.pid],
  ]);
  await release();
});
