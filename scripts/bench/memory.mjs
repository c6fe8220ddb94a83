/**
 * What Pantau takes under different bounds of memory, with the embedded store: at its start, without messages, and while a backlog is worked off that comes as fast as it is
 * acknowledged. "Own" is what the system cannot take back.
 *
 * usage: npm run bench:memory [-- messages devices memory…]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bench, caughtUp, finished, kill, load, shown, start, startPantau } from './bench.mjs';
import { memoryOf, processorSeconds } from './processes.mjs';

const [messages = '100000', count = '10', ...given] = process.argv.slice(2);
const memories = given.length > 0 ? given : ['512MB', '1GB', '12GB'];
const SETTLED_MS = 20_000;
const IDLE_MS = 10_000;
const MB = 1e6;
const devices = Array.from({ length: Number(count) }, (_, i) => `bench-${String(i).padStart(5, '0')}`);
const RULES = `rules:
  - { id: pm25, title: { id: 'PM2,5 tinggi', en: PM2.5 high }, parameter: pm25, raise: 100, clear: 80, for: 10m, severity: critical }
`;

await bench(async (folder) => {
  for (const memory of memories) console.log(`${memory}: ${await measured(join(folder, memory), memory)}`);
});

async function measured(folder, memory) {
  mkdirSync(folder);
  const limits = {
    messagesPerDevice: { perSecond: 100_000, burst: 100_000 },
    // All devices come from one address here.
    ...{ connectionsPerAddress: devices.length + 100, pendingPerAddress: devices.length + 100 },
    connectsPerAddress: { perSecond: 10_000, burst: 20_000 },
  };
  const pantau = await startPantau(folder, {
    devices: devices.map((id) => ({ id, intervalMs: 1_000 })),
    ...{ rules: RULES, mqtt: { limits }, config: { memory } },
  });
  const { pid } = pantau.child;
  const own = () => memoryOf(pid).anonymous;
  const started = processorSeconds(pid);
  await delay(SETTLED_MS);
  const before = processorSeconds(pid);
  await delay(IDLE_MS);
  const idle = (processorSeconds(pid) - before) / (IDLE_MS / 1_000);
  const still = memoryOf(pid);

  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, own())), 50);
  const spentBefore = processorSeconds(pid);
  const options = join(folder, 'load.json');
  writeFileSync(
    options,
    JSON.stringify({
      ...{ host: '127.0.0.1', port: pantau.mqttPort, firstTs: Date.now() - 86_400_000, stepMs: 1_000 },
      connections: devices.map((id) => ({
        ...{ clientId: id, topics: [`pantau/v1/bench/${id}/telemetry`], password: pantau.tokens[id] },
      })),
      ...{ pace: { inFlight: 40 }, messages: Number(messages) },
    }),
  );
  const from = performance.now();
  await finished(start(process.execPath, [load, options]));
  await caughtUp(pantau.metricsPort);
  const seconds = (performance.now() - from) / 1_000;
  clearInterval(watch);
  const perMessage = ((processorSeconds(pid) - spentBefore) / Number(messages)) * 1e6;
  await kill(pantau.child);
  return [
    `start ${started.toFixed(1)} s of processor time`,
    `without messages ${shown(still.anonymous / MB)} MB own, ${shown(still.resident / MB)} resident, ${(100 * idle).toFixed(1)} % of a core`,
    `backlog of ${shown(Number(messages))} messages in ${seconds.toFixed(1)} s, ${perMessage.toFixed(0)} us each, at most ${shown(most / MB)} MB own`,
  ].join('; ');
}
