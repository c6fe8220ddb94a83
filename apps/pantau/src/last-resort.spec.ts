import { startProcess } from '#libs/testing';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The built one: `npm test` builds it first. */
const MODULE = pathToFileURL(
  join(import.meta.dirname, '..', '..', '..', 'dist', 'apps', 'pantau', 'src', 'last-resort.js'),
).href;
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
