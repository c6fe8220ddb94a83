/**
 * What durability costs and what group commit gives back: appends a second that are on disk when they resolve, one at
 * a time and many at a time, on the same disk in the same run. A bare write with fsync is the yardstick.
 *
 * usage: npm run bench:journal [-- milliseconds]
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bench, built, shown } from './bench.mjs';

const { LmdbStateStore, LmdbJournal } = await built('libs/engine-lmdb');
const [duration = 3_000] = process.argv.slice(2).map(Number);
const data = { site: 'bench', device: 'bench-0001', payload: Buffer.alloc(110, 'x'), receivedAt: Date.now() };

await bench(async (folder) => {
  const plain = bareFsync(folder);
  console.log(`write + fsync, one file            ${perSecond(plain)}`);
  for (const outstanding of [1, 10, 100, 1_000]) {
    const rate = await appends(folder, outstanding);
    console.log(
      `journal, ${String(outstanding).padStart(5)} outstanding appends ${perSecond(rate)}  ${(rate / plain).toFixed(1)} x the fsync rate`,
    );
  }
});

function perSecond(rate) {
  return `${shown(rate).padStart(10)}/s`;
}

function bareFsync(folder) {
  const file = openSync(join(folder, 'plain'), 'w');
  const bytes = Buffer.alloc(4_096, 'x');
  const startedAt = performance.now();
  let count = 0;
  for (; performance.now() - startedAt < duration; count++) {
    writeSync(file, bytes, 0, bytes.length, 0);
    fsyncSync(file);
  }
  closeSync(file);
  return (count * 1_000) / duration;
}

async function appends(folder, outstanding) {
  const state = LmdbStateStore.open(join(folder, `journal-${outstanding}`));
  const journal = await LmdbJournal.open({ state, clock: { now: Date.now } });
  const startedAt = performance.now();
  let count = 0;
  const worker = async (i) => {
    while (performance.now() - startedAt < duration) {
      await journal.append('uplink', [{ key: `bench-${i}`, data }]);
      count++;
    }
  };
  await Promise.all(Array.from({ length: outstanding }, (_, i) => worker(i)));
  const seconds = (performance.now() - startedAt) / 1_000;
  await journal.close();
  await state.close();
  return count / seconds;
}
