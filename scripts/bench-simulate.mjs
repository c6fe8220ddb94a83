/**
 * Devices and messages a second that one simulator process sustains, and the memory of a simulated device, beside the load
 * generator in the same run; all against Mosquitto with nothing on disk. Of each the processor time beside Mosquitto's own: a
 * generator that leaves its core idle while Mosquitto's is full is not the bottleneck.
 *
 * usage: npm run bench:simulate [-- rounds devices messages]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  answer,
  bench,
  finished,
  load,
  median,
  NODE,
  processorSeconds,
  shown,
  start,
  startClients,
  startMosquitto,
} from './bench.mjs';

const [rounds = 3, devices = 1_000, messages = 120_000] = process.argv.slice(2).map(Number);

await bench(async (folder) => {
  const { port, pid } = await startMosquitto(folder);
  const options = join(folder, 'load.json');
  const targets = Array.from({ length: devices }, (_, i) => ({ clientId: `l-${i}`, topics: [`load/${i}`] }));
  const runLoad = async (pace, count) => {
    const target = { host: '127.0.0.1', port, connections: targets, firstTs: Date.UTC(2026, 0, 1) };
    writeFileSync(options, JSON.stringify({ ...target, pace, messages: count }));
    const before = processorSeconds(pid);
    const report = JSON.parse(await finished(start(process.execPath, [load, options])));
    return { ...report, broker: processorSeconds(pid) - before };
  };
  const cores = ({ processorSeconds: generator, broker, seconds }) =>
    `${((100 * generator) / seconds).toFixed(0)} % of a core, Mosquitto ${((100 * broker) / seconds).toFixed(0)} %`;

  console.log(`${shown(devices)} devices, ${shown(messages)} messages of 4 values, ${rounds} rounds`);
  const [ratios, memory] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    const simulator = startClients('bench-simulate-clients.mjs', { port, devices, messages }, [
      ...NODE,
      '--expose-gc',
    ]);
    const idle = await answer(simulator);
    const before = processorSeconds(pid);
    const simulated = await answer(simulator, 'run');
    const rate = simulated.acknowledged / simulated.seconds;
    const ofBroker = { ...simulated, broker: processorSeconds(pid) - before };
    memory.push(idle.bytesPerDevice);
    console.log(
      `  round ${round}: simulator      ${shown(rate).padStart(7)} messages/s acknowledged, ${shown(devices / idle.connectSeconds)} devices/s connected, ` +
        `${shown(idle.bytesPerDevice / 1024)} KiB a device; ${cores(ofBroker)}`,
    );
    const closed = await runLoad({ inFlight: 20 }, messages);
    ratios.push(rate / closed.rate);
    console.log(
      `  round ${round}: load generator ${shown(closed.rate).padStart(7)} messages/s acknowledged, ${shown(devices / closed.connectSeconds)} connections/s opened; ${cores(closed)}`,
    );
    const perSecond = Math.round(closed.rate / 4);
    const { ackLatencyMs, ...open } = await runLoad({ perSecond }, messages / 4);
    console.log(
      `  round ${round}: open loop at ${shown(perSecond)}/s: ${shown(open.rate)} acknowledged, latency from the time due p50 ${ackLatencyMs.p50.toFixed(1)} ms, ` +
        `p99 ${ackLatencyMs.p99.toFixed(1)} ms, p99.9 ${ackLatencyMs.p999.toFixed(1)} ms; ${cores(open)}`,
    );
  }
  console.log(`median ratio simulator / load generator: ${median(ratios).toFixed(2)}`);
  console.log(`median memory of a simulated device: ${shown(median(memory) / 1024)} KiB`);
});
