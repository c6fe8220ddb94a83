import { startProcess, waitUntil } from '#libs/testing';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { built } from '../built.fixture.js';

const MODULE = pathToFileURL(built('watchdog/last-resort.js')).href;
/** A thread that never comes back, as the stages would be in an endless loop; and something that keeps the process alive. */
const BLOCKED = `
  import { Worker } from 'node:worker_threads';
  import { endOnUnhandled, stopWithin } from '${MODULE}';
  const worker = new Worker('require("node:worker_threads").parentPort.postMessage("up"); for (;;);', { eval: true, execArgv: [] });
  await new Promise((resolve) => worker.once('message', resolve));
  process.on('SIGTERM', () => stopWithin(() => new Promise((resolve) => worker.once('exit', resolve)), 200));
  endOnUnhandled();
  console.log('ready');
`;

describe('the process', () => {
  it.each([
    [
      'an exception that nobody handles',
      'setImmediate(() => { throw new RangeError("too deep"); });',
      'too deep',
    ],
    ['a rejection that nobody handles', 'void Promise.reject(new Error("nobody waits"));', 'nobody waits'],
    [
      'a stop that a blocked thread holds up',
      'process.kill(process.pid, "SIGTERM");',
      'not everything stopped',
    ],
  ])('ends with an error after %s, beside a thread that is blocked', async (_name, code, message) => {
    const child = startProcess(process.execPath, ['--input-type=module', '-e', BLOCKED + code]);
    if (child.process.exitCode === null && child.process.signalCode === null)
      await once(child.process, 'close');
    expect(child.output()).toContain(message);
    expect(child.process.signalCode).toBe('SIGKILL');
  });
});

const PULSE = pathToFileURL(built('watchdog/watchdog.js')).href;
const WATCHED = `
  import { Worker } from 'node:worker_threads';
  import { Pulse, startWatchdog } from '${PULSE}';
  const pulse = new Pulse();
  startWatchdog(pulse, 1_000);
  process.on('SIGTERM', () => process.exit(0));
  setInterval(() => undefined, 1_000);
  console.log('ready');
`;

describe('the watchdog', () => {
  it.each([
    ['main', 'pulse.beat("main"); setTimeout(() => { for (;;); }, 100);'],
    [
      'ingest',
      `pulse.beat("main");
       const code = 'import(require("node:worker_threads").workerData.url).then(({ Pulse }) => { new Pulse(require("node:worker_threads").workerData.cells).beat("ingest"); for (;;); })';
       new Worker(code, { eval: true, workerData: { url: '${PULSE}', cells: pulse.cells }, execArgv: [] });`,
    ],
  ])('ends the process with an error while the thread %s is blocked', async (thread, code) => {
    const child = startProcess(process.execPath, ['--input-type=module', '-e', WATCHED + code]);
    if (child.process.exitCode === null && child.process.signalCode === null)
      await once(child.process, 'close');
    expect(child.output()).toContain(`the thread ${thread} has been blocked`);
    expect(child.process.signalCode).toBe('SIGKILL');
  });

  it('forgives a halt of the whole process, and does not keep it from ending', async () => {
    const halted = `pulse.beat('main'); let beats = 0; const wait = setInterval(() => {
      const now = pulse.beats('main'); if (beats > 0 && now > beats + 3) { console.log('goes on'); clearInterval(wait); process.exit(0); }
      if (beats === 0 && now > 1) { beats = now; console.log('halt me'); } }, 50);`;
    const child = startProcess(process.execPath, ['--input-type=module', '-e', WATCHED + halted]);
    await waitUntil('it beats', () => child.output().includes('halt me'));
    child.process.kill('SIGSTOP');
    await delay(3_000);
    child.process.kill('SIGCONT');
    if (child.process.exitCode === null) await once(child.process, 'close');
    expect(child.output()).toContain('goes on');
    expect(child.process.exitCode).toBe(0);
  });
});
