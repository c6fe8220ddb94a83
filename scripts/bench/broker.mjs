/**
 * Acknowledged QoS 1 messages per second: Pantau, with every message durable before its PUBACK and the whole pipeline
 * running behind it, beside Mosquitto's plain QoS 1 (nothing on disk), on the same load generator in the same run.
 * The rounds alternate; the figure is the ratio, because the machine is noisy. A first round is not counted: what code
 * costs until it is compiled is not what a message costs.
 *
 * usage: npm run bench:broker [-- rounds messages connections]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  accepts,
  bench,
  caughtUp,
  finished,
  freePort,
  load,
  main,
  median,
  NODE,
  start,
  startMosquitto,
} from './bench.mjs';

const [rounds = 5, messages = 300_000, connections = 50] = process.argv.slice(2).map(Number);

const MINUTE = 60_000;
const oldest = Math.floor((Date.now() - 29 * 24 * 60 * MINUTE) / MINUTE) * MINUTE;

await bench(async (folder) => {
  const devices = Array.from({ length: connections }, (_, i) => `bench-${String(i).padStart(4, '0')}`);
  const interval = '{ interval: 1s, devices: [' + devices.join(', ') + '] }';
  writeFileSync(
    join(folder, 'plan.yaml'),
    `site: bench\nfrom: 2015-12-06T17:00:00Z\nto: 2015-12-07T17:00:00Z\ncameras: ${interval}\n`,
  );
  const [mqttPort, httpPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const env = {
    ...process.env,
    PANTAU_DATA: join(folder, 'data'),
    PANTAU_MQTT_PORT: mqttPort,
    PANTAU_HTTP_PORT: httpPort,
    PANTAU_METRICS_PORT: metricsPort,
    PANTAU_LOG_LEVEL: 'warn',
  };
  const credentials = join(folder, 'credentials.json');
  await finished(
    start(
      process.execPath,
      [main, 'device', 'add-plan', join(folder, 'plan.yaml'), '--credentials', credentials],
      env,
    ),
  );
  const passwords = JSON.parse(readFileSync(credentials, 'utf8'));

  const [node, ...options] = NODE;
  start(node, [...options, main, 'start'], env);
  const { port: mosquittoPort } = await startMosquitto(folder);
  await accepts(mqttPort);

  const targets = [
    { name: 'Mosquitto, plain QoS 1', port: mosquittoPort, password: () => undefined },
    { name: 'Pantau, durable QoS 1', port: mqttPort, password: (id) => passwords[id] },
  ];
  console.log(
    `${messages} messages of 4 values, ${connections} connections, 40 in flight each, ${rounds} rounds`,
  );
  const ratios = [];
  for (let round = 0; round <= rounds; round++) {
    const name = round === 0 ? 'warming up' : `round ${round}`;
    const rates = [];
    for (const target of targets) {
      const options = join(folder, 'load.json');
      // As far back as a device may report by default, less a day; every round brings new readings.
      const firstTs = oldest + round * Math.ceil(messages / connections) * MINUTE;
      const list = devices.map((id) => ({
        clientId: id,
        topics: [`pantau/v1/bench/${id}/telemetry`],
        password: target.password(id),
      }));
      writeFileSync(
        options,
        JSON.stringify({
          host: '127.0.0.1',
          port: target.port,
          connections: list,
          pace: { inFlight: 40 },
          messages,
          firstTs,
        }),
      );
      const report = JSON.parse(await finished(start(process.execPath, [load, options])));
      rates.push(report.rate);
      const { p50, p99 } = report.ackLatencyMs;
      console.log(
        `  ${name}: ${target.name.padEnd(24)} ${Math.round(report.rate).toString().padStart(7)} acknowledged/s, latency p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
      );
    }
    const acknowledgedAt = performance.now();
    await caughtUp(metricsPort);
    const drain = (performance.now() - acknowledgedAt) / 1_000;
    const ratio = rates[1] / rates[0];
    if (round > 0) ratios.push(ratio);
    console.log(
      `  ${name}: ratio Pantau / Mosquitto ${ratio.toFixed(2)}; every stage had caught up ${drain.toFixed(1)} s after the last acknowledgement`,
    );
  }
  console.log(`median ratio Pantau / Mosquitto: ${median(ratios).toFixed(2)}`);
});
