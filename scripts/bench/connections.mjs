/**
 * What an idle device costs: memory of one running Pantau before and after many devices have connected, each with an
 * identity of its own, a subscription to its commands and a keep-alive; and whether all are still there afterwards. The
 * figures are bytes for each connection: they depend on the machine less than speeds do.
 *
 * usage: npm run bench:connections [-- devices idle-seconds]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { answer, bench, NODE, shown, startClients, startPantau } from './bench.mjs';

const [wanted = 20_000, idleSeconds = 45] = process.argv.slice(2).map(Number);
/** Shorter than two thirds of the idle time, so that a device that is not heard would be thrown out before its end. */
const KEEP_ALIVE_SECONDS = 20;
/** Below what the limits allow one address. */
const DEVICES_PER_ADDRESS = 400;
const CLIENT_PROCESSES = 4;
const AT_ONCE = 25;
/** Descriptors that Pantau may need beside its connections and what it has open at rest: database files, the API. */
const SPARE_DESCRIPTORS = 50;

let complete = false;
await bench(async (folder) => {
  const ids = Array.from({ length: wanted }, (_, i) => `bench-${String(i).padStart(6, '0')}`);
  const pantau = await startPantau(folder, {
    devices: ids,
    mqtt: { limits: { connections: wanted + 100, connectsPerAddress: { perSecond: 1_000, burst: 1_000 } } },
    // The heap is looked at when garbage is gone: on this signal it is collected.
    command: [...NODE, '--expose-gc', '--import', 'data:text/javascript,process.on("SIGUSR2",()=>gc())'],
  });
  console.log('every device is in the registry and connects with a token of its own in place of a password');
  const count = Math.min(wanted, room(pantau.child.pid));
  const before = await memory(pantau);

  const devices = ids.slice(0, count).map((id, i) => ({
    id,
    password: pantau.tokens[id],
    address: `127.0.1.${1 + Math.floor(i / DEVICES_PER_ADDRESS)}`,
  }));
  const startedAt = performance.now();
  const share = Math.ceil(count / CLIENT_PROCESSES);
  const clients = Array.from({ length: CLIENT_PROCESSES }, (_, i) =>
    startClients('clients/connections.mjs', {
      port: pantau.mqttPort,
      devices: devices.slice(i * share, (i + 1) * share),
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
      atOnce: AT_ONCE,
    }),
  );
  const reports = await Promise.all(clients.map((client) => answer(client)));
  const seconds = (performance.now() - startedAt) / 1_000;
  const connected = sum(reports.map((report) => report.connected));
  console.log(
    `connected: ${shown(connected)} of ${shown(count)}, ${shown(connected / seconds)}/s (TCP, CONNECT and SUBSCRIBE answered)`,
  );
  for (const { failures } of reports) for (const [why, n] of failures) console.log(`  ${n} not: ${why}`);

  await delay(idleSeconds * 1_000);
  const status = await Promise.all(clients.map((client) => answer(client, 'status')));
  const [still, pings, pongs] = ['connected', 'pings', 'pongs'].map((key) => sum(status.map((s) => s[key])));
  const counted = (await pantau.metrics()).get('pantau_mqtt_connections');
  console.log(
    `after ${idleSeconds} s idle, keep-alive ${KEEP_ALIVE_SECONDS} s: ${shown(still)} connected (the broker counts ${shown(counted)}), ${shown(pongs)} of ${shown(pings)} pings answered`,
  );
  const after = await memory(pantau);
  for (const [name, key] of Object.entries({ 'resident memory': 'rss', 'heap in use': 'heap' })) {
    const each = (after[key] - before[key]) / still;
    console.log(
      `${name}: ${mebibytes(before[key])} MiB with none, ${mebibytes(after[key])} MiB with all: ${shown(each)} bytes a connection`,
    );
  }
  const { acknowledged } = await answer(clients[0], 'publish');
  console.log(`a reading of one of them: ${acknowledged ? 'acknowledged' : 'NOT ACKNOWLEDGED'}`);
  complete = connected === count && still === count && counted === count && acknowledged;
});
process.exitCode = complete ? 0 : 1;

/** How many connections fit into the open files that the process may have. */
function room(pid) {
  let limit;
  let used;
  try {
    limit = Number(/^Max open files +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1]);
    used = readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    // No such files outside Linux: then a limit shows itself by refused connections.
    return Infinity;
  }
  const places = limit - used - SPARE_DESCRIPTORS;
  if (places < wanted)
    console.log(
      `${shown(wanted)} connections do not fit: a process may open ${shown(limit)} files here (ulimit -Hn), Pantau at rest has ${used} open, and ${SPARE_DESCRIPTORS} are left for its databases and API; so ${shown(places)}`,
    );
  return places;
}

async function memory({ child, metrics }) {
  child.kill('SIGUSR2');
  await delay(1_000);
  const values = await metrics();
  return {
    rss: values.get('process_resident_memory_bytes'),
    heap: values.get('nodejs_heap_size_used_bytes'),
  };
}

function mebibytes(bytes) {
  return (bytes / 2 ** 20).toFixed(0);
}

function sum(numbers) {
  return numbers.reduce((a, b) => a + b, 0);
}
