/** A simulator in a process of its own: what an idle device costs, then a scenario as fast as it is acknowledged. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { built } from '../bench.mjs';

const { MqttDevice } = await built('simulators/client');
const { parseScenario, runScenario, scenarioOf } = await built('simulators/scenario');

process.once('message', async ({ port, devices, messages }) => {
  const url = `mqtt://127.0.0.1:${port}`;
  const settled = async () => {
    for (let i = 0; i < 3; i++) {
      globalThis.gc();
      await delay(50);
    }
    return process.memoryUsage().rss;
  };
  const before = await settled();
  const connectingAt = performance.now();
  const idle = Array.from(
    { length: devices },
    (_, i) => new MqttDevice({ id: `idle-${i}`, site: 'bench', url, password: 'none', keepAliveSeconds: 0 }),
  );
  while (!idle.every(({ isConnected }) => isConnected)) await delay(5);
  const connectSeconds = (performance.now() - connectingAt) / 1000;
  const bytesPerDevice = ((await settled()) - before) / devices;
  await Promise.all(idle.map((device) => device.end()));
  process.send({ connectSeconds, bytesPerDevice });
  await once(process, 'message');

  const hours = Math.ceil(messages / devices / 60);
  const file = parseScenario(
    'bench',
    `title: { id: Beban, en: Load }
rehearses: { id: Beban, en: Load }
seed: 1
start: 2026-01-01T00:00:00Z
span: ${hours}h
fleet:
  sites: [{ id: bench, name: Bench, latitude: -2.9, longitude: 104.7 }]
  stations: [{ id: station, site: bench, interval: 1m, count: ${devices} }]
`,
  );
  const scenario = scenarioOf({ name: 'bench', file, now: Date.now() });
  const passwords = new Map(scenario.devices.map(({ id }) => [id, 'none']));
  const processor = process.cpuUsage();
  const report = await runScenario({ scenario, url, passwords, speed: 'max', clock: { now: Date.now } });
  const { user, system } = process.cpuUsage(processor);
  process.send({
    acknowledged: report.acknowledged,
    ...{ seconds: report.elapsedMs / 1000, processorSeconds: (user + system) / 1e6 },
  });
  process.disconnect();
});
