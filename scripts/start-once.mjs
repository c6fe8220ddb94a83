/** Starts the built Pantau on free ports and a folder of its own, waits until it is ready, and stops it in order. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'dist',
  'apps',
  'pantau',
  'src',
  'main.js',
);
const data = mkdtempSync(join(tmpdir(), 'pantau-start-'));
const pantau = spawn(process.execPath, ['--single-threaded-gc', main, 'start'], {
  env: {
    ...process.env,
    PANTAU_DATA: data,
    PANTAU_MQTT_PORT: '0',
    PANTAU_HTTP_PORT: '0',
    PANTAU_METRICS_PORT: 'false',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let output = '';
let asked = false;
pantau.stdout.on('data', (chunk) => {
  output += String(chunk);
  if (asked || !output.includes('ready:')) return;
  asked = true;
  pantau.kill('SIGTERM');
});
pantau.on('exit', (code, signal) => {
  rmSync(data, { recursive: true, force: true });
  if (code === 0 && output.includes('ready:'))
    console.log(`Pantau starts and stops on Node ${process.versions.node}`);
  else {
    console.error(`Pantau on Node ${process.versions.node} ended with ${code ?? signal}:\n${output}`);
    process.exitCode = 1;
  }
});
