/**
 * What a flood does to everybody else: how long a well-behaved device waits for its PUBACKs beside each kind of attack,
 * as a ratio to the quiet times of the same round, with the default limits. Attackers come from addresses of their own.
 *
 * The last row is no attack: a process that keeps a core busy. On a machine whose cores
 * attackers, broker and bystander share, it shows how much of a ratio is theirs.
 *
 * usage: npm run bench:flood [-- rounds seconds flood]
 */
import { once } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { answer, bench, median, NODE, quantile, startClients, startPantau } from './bench.mjs';

const [rounds = 3, seconds = 15] = process.argv.slice(2, 4).map(Number);
const only = process.argv[4] ?? '';
const EVERY_MS = 20;
const ALLOWED = 5;
/** Without a refusal for so long, a flood is over. */
const SETTLE_MS = 2_000;
const CLIENTS = 'clients/flood.mjs';
/**
 * In the field the attackers, and whatever else this machine does, run elsewhere: broker and bystander go before them.
 * Where that is not allowed (it needs root), `nice` says so and goes on.
 */
const FIRST = ['nice', '-n', '-10'];

const [bystander, talker, giant, ...victims] = ['bystander', 'talker', 'giant', ...numbered(50, 'victim-')];
const FLOODS = [
  { name: 'slow loris', role: 'slowLoris', addresses: 4, options: { each: 300 } },
  { name: 'wrong passwords', role: 'wrongPasswords', addresses: 20, options: { devices: victims } },
  { name: 'connect and close', role: 'connectAndClose', addresses: 20 },
  { name: 'publishes too fast', role: 'publishes', device: talker },
  { name: 'oversize payloads', role: 'oversize', device: giant },
  { name: 'no flood, a busy core', role: 'spin' },
].filter(({ name }) => name.includes(only));

const [load] = loadavg();
if (load > availableParallelism() / 2)
  console.log(
    `this machine is busy with other work (load ${load.toFixed(1)}): the quiet times are not quiet, and ratios to them are too small or vary by chance`,
  );

await bench(async (folder) => {
  const pantau = await startPantau(folder, {
    devices: [bystander, talker, giant, ...victims],
    command: [...FIRST, ...NODE],
  });
  const { mqttPort: port, tokens } = pantau;
  const calm = startClients(
    CLIENTS,
    { role: 'bystander', port, device: bystander, password: tokens[bystander], everyMs: EVERY_MS },
    [...FIRST, process.execPath],
  );
  const measured = async (duration) => (await answer(calm, { seconds: duration })).latencies;
  // The first seconds are of a program that is not warm.
  await measured(5);
  console.log(
    `a device with one message in flight, ${1_000 / EVERY_MS}/s, for ${seconds} s beside each flood; ${rounds} rounds, medians; ${availableParallelism()} cores`,
  );

  const results = new Map(FLOODS.map(({ name }) => [name, []]));
  const quiets = [];
  for (let round = 0; round < rounds; round++) {
    const quiet = [];
    const beside = new Map();
    for (const [i, flood] of FLOODS.entries()) {
      quiet.push(...(await measured(seconds / 2)));
      beside.set(flood.name, await during(flood, 1 + round * FLOODS.length + i));
      await settled();
    }
    quiets.push({ p50: quantile(quiet, 0.5), p99: quantile(quiet, 0.99) });
    for (const [name, result] of beside)
      results.get(name).push({ ...result, ratio: result.p99 / quiets.at(-1).p99 });
  }

  const of = (list, key) => median(list.map((entry) => entry[key]));
  console.log(
    `${'quiet'.padEnd(22)} PUBACK p50 ${ms(of(quiets, 'p50'))}, p99 ${ms(of(quiets, 'p99'))} (rounds: ${quiets.map(({ p99 }) => ms(p99)).join(', ')})`,
  );
  for (const [name, list] of results) {
    const ratio = of(list, 'ratio');
    const middle = of(list, 'p50') / of(quiets, 'p50');
    console.log(
      `${name.padEnd(22)} PUBACK p50 ${ms(of(list, 'p50'))} (${middle.toFixed(1)} x quiet), p99 ${ms(of(list, 'p99'))}, ratio ${ratio.toFixed(1)} (rounds: ${list.map((r) => r.ratio.toFixed(1)).join(', ')}): ${ratio <= ALLOWED ? 'within' : 'BEYOND'} ${ALLOWED}`,
    );
    const counts = list.at(-1).counts.map(([what, n]) => `${what} ${n}`);
    console.log(
      `  last round: ${list.at(-1).attempts} attempts; ${counts.join(', ') || 'nothing refused'}; cores used: broker ${of(list, 'brokerCores').toFixed(2)}, flood ${of(list, 'floodCores').toFixed(2)}; broker's event loop late by p99 ${ms(of(list, 'lateMs'))}`,
    );
  }

  /** What a flood leaves behind, such as passwords that wait to be looked at, is not the next one's. */
  async function settled() {
    for (let before = -1; ;) {
      const now = refusals(await pantau.metrics());
      if (now === before) return;
      before = now;
      await delay(SETTLE_MS);
    }
  }

  async function during({ role, addresses = 0, device, options }, n) {
    const before = await pantau.metrics();
    const startedAt = performance.now();
    const flood = startClients(CLIENTS, {
      role,
      port,
      // Fresh ones for every flood: what an address has used up of its limits is not the next one's.
      addresses: numbered(addresses, `127.1.${n}.`),
      device,
      password: tokens[device],
      ...options,
    });
    await delay(1_000);
    const latencies = await measured(seconds);
    const after = await pantau.metrics();
    const elapsed = (performance.now() - startedAt) / 1_000;
    const { attempts, cpuSeconds } = await answer(flood, 'stop');
    await once(flood, 'exit');
    const grown = (series) => (after.get(series) ?? 0) - (before.get(series) ?? 0);
    const counts = [...after.keys()]
      .filter((series) => /^pantau_mqtt_(refusals|throttled|connects)_total/.test(series))
      .map((series) => [series.replace(/^pantau_mqtt_|_total/g, ''), grown(series)])
      .filter(([, count]) => count > 0);
    return {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      attempts,
      counts,
      brokerCores: grown('process_cpu_seconds_total') / elapsed,
      floodCores: cpuSeconds / elapsed,
      lateMs: after.get('nodejs_eventloop_lag_p99_seconds') * 1_000,
    };
  }
});

function refusals(metrics) {
  return [...metrics].reduce(
    (sum, [series, n]) => sum + (series.startsWith('pantau_mqtt_refusals') ? n : 0),
    0,
  );
}

function numbered(count, prefix) {
  return Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
}

function ms(number) {
  return `${number.toFixed(1)} ms`;
}
