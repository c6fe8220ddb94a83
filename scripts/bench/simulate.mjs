/**
 * Devices and messages a second that one simulator process sustains, and the memory of a simulated device, beside the load
 * generator in the same run; all against Mosquitto with nothing on disk. The generator runs in a few processes with thousands of
 * connections. Of each the processor time beside Mosquitto's own: a process that needs less of a core than Mosquitto for the same messages
 * has time left when Mosquitto has none, so it is not the bottleneck, also on a machine that others use.
 *
 * usage: npm run bench:simulate [-- rounds devices messages connections processes]
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
  shown,
  start,
  startClients,
  startMosquitto,
} from './bench.mjs';
import { processorSeconds } from './processes.mjs';

const [rounds = 3, devices = 1_000, messages = 120_000, connections = 8_000, processes = 2] = process.argv
  .slice(2)
  .map(Number);

await bench(async (folder) => {
  const { port, pid } = await startMosquitto(folder);
  const targets = Array.from({ length: Math.max(devices, connections) }, (_, i) => ({
    ...{ clientId: `l-${i}`, topics: [`load/${i}`] },
  }));
  const runLoad = async (pace, count, from) => {
    const before = processorSeconds(pid);
    const reports = await Promise.all(
      Array.from({ length: processes }, async (_, i) => {
        const options = join(folder, `load-${i}.json`);
        const connections = from.filter((_target, place) => place % processes === i);
        const common = { host: '127.0.0.1', port, firstTs: Date.UTC(2026, 0, 1) };
        writeFileSync(options, JSON.stringify({ ...common, connections, pace, messages: count / processes }));
        return JSON.parse(await finished(start(process.execPath, [load, options])));
      }),
    );
    const all = (member) => reports.map((report) => report[member]);
    const sum = (member) => all(member).reduce((total, one) => total + one, 0);
    return {
      broker: processorSeconds(pid) - before,
      ...{ rate: sum('rate'), memoryBytes: sum('memoryBytes') },
      seconds: Math.max(...all('seconds')),
      connectSeconds: Math.max(...all('connectSeconds')),
      // Of the busiest process.
      processorSeconds: Math.max(...all('processorSeconds')),
      latency: (name) => Math.max(...all('ackLatencyMs').map((one) => one[name])).toFixed(1),
    };
  };
  const share = (part, seconds) => `${((100 * part) / seconds).toFixed(0)} %`;
  const cores = ({ processorSeconds: generator, broker, seconds }) =>
    `each process at most ${share(generator, seconds)} of a core, Mosquitto ${share(broker, seconds)}`;

  console.log(`${shown(devices)} devices, ${shown(messages)} messages of 4 values, ${rounds} rounds`);
  const [ratios, memory, costs] = [[], [], []];
  for (let round = 1; round <= rounds; round++) {
    const simulator = startClients('clients/simulate.mjs', { port, devices, messages }, [
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
    const fleet = targets.slice(0, devices);
    const closed = await runLoad({ inFlight: 20 }, messages, fleet);
    ratios.push(rate / closed.rate);
    costs.push(closed.processorSeconds / closed.broker);
    console.log(
      `  round ${round}: load generator ${shown(closed.rate).padStart(7)} messages/s acknowledged, ${processes} processes, ${shown(devices / closed.connectSeconds)} connections/s opened; ${cores(closed)}`,
    );
    const perSecond = Math.round(closed.rate / 4 / processes);
    const open = await runLoad({ perSecond }, messages / 4, fleet);
    console.log(
      `  round ${round}: open loop at ${shown(perSecond * processes)}/s: ${shown(open.rate)} acknowledged, latency from the time due p50 ${open.latency('p50')} ms, ` +
        `p99 ${open.latency('p99')} ms, p99.9 ${open.latency('p999')} ms; ${cores(open)}`,
    );
  }
  console.log(`median ratio simulator / load generator: ${median(ratios).toFixed(2)}`);
  console.log(`median memory of a simulated device: ${shown(median(memory) / 1024)} KiB`);
  const cost = median(costs);
  console.log(
    `median processor time of a process of the load generator: ${cost.toFixed(2)} of Mosquitto's for the same messages; it is ${cost < 1 ? 'not ' : ''}the bottleneck`,
  );
  const perSecond = connections / 4 / processes;
  const many = await runLoad({ perSecond }, 4 * connections, targets.slice(0, connections));
  console.log(
    `${shown(connections)} connections of ${processes} processes: opened in ${many.connectSeconds.toFixed(1)} s, ${shown(many.memoryBytes / connections / 1024)} KiB each; ` +
      `${shown(perSecond * processes)} messages/s due, ${shown(many.rate)} acknowledged, p99 ${many.latency('p99')} ms; ${cores(many)}`,
  );
});
