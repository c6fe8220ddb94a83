/**
 * The clients of flood.mjs over raw sockets, one role in each process. A flood goes on until it is told to stop, as fast
 * as the broker lets it, and then reports its attempts; the bystander measures for a given time.
 */
import { on, once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { built } from '../bench.mjs';

const { connectPacket, publishPacket } = await built('simulators/load');
const PUBACK = 0x40;
/** Connections that one address opens at the same time. */
const AT_ONCE = 25;
/** An attacker whose connection is refused before it is made takes a breath, or it measures its own loop. */
const BREATH_MS = 10;
const DRIP_MS = 500;

// Keeps what arrives before it is asked for.
const messages = on(process, 'message');
const next = async () => (await messages.next()).value[0];
const { role, ...options } = await next();
let attempts = 0;
let stopped = false;
const roles = { bystander, slowLoris, wrongPasswords, connectAndClose, publishes, oversize, spin };
if (role !== 'bystander') {
  void next().then(() => {
    stopped = true;
    const { user, system } = process.cpuUsage();
    process.send({ attempts, cpuSeconds: (user + system) / 1e6 }, () => process.exit());
  });
}
await roles[role](options);

/** A well-behaved device: one message in flight at a steady pace. Asked for a measurement, answers with its latencies. */
async function bystander({ port, device, password, everyMs }) {
  const socket = await connected(port, '127.0.0.1', device, password);
  socket.once('close', () => process.exit(1));
  const topic = `pantau/v1/bench/${device}/telemetry`;
  const firstTs = Date.now();
  for (let n = 0; ;) {
    const { seconds } = await next();
    const latencies = [];
    const startedAt = performance.now();
    for (let i = 0; i < (seconds * 1_000) / everyMs; i++, n++) {
      const due = startedAt + i * everyMs;
      const late = performance.now() - due;
      if (late < 0) await delay(-late);
      // A message that had to wait for the PUBACK before it counts from when it was due: a stall is not measured once only.
      const from = late < 0 ? performance.now() : due;
      const payload = Buffer.from(JSON.stringify({ ts: firstTs + n, values: { pm25: 12.5 } }));
      socket.write(publishPacket(topic, (n % 65_535) + 1, payload));
      await puback(socket);
      latencies.push(performance.now() - from);
    }
    process.send({ latencies });
  }
}

/** Many connections that say a byte of their CONNECT now and then, and come again when they are closed. */
async function slowLoris({ port, addresses, each }) {
  await fromEach(addresses, each, async (address) => {
    const socket = dial(port, address);
    const bytes = connectPacket('x'.repeat(60), 'y'.repeat(200));
    for (let at = 0; at < bytes.length && !socket.destroyed && !stopped; at++) {
      socket.write(bytes.subarray(at, at + 1));
      await delay(DRIP_MS);
    }
    socket.destroy();
  });
}

/** Guesses passwords, of devices that exist and of others. */
async function wrongPasswords({ port, addresses, devices }) {
  await fromEach(addresses, AT_ONCE, async (address) => {
    const device = attempts % 2 === 0 ? devices[attempts % devices.length] : `nobody-${attempts}`;
    const socket = dial(port, address);
    socket.write(connectPacket(device, `guess-${attempts}`));
    await once(socket, 'close');
    if (socket.bytesRead === 0) await delay(BREATH_MS);
  });
}

async function connectAndClose({ port, addresses }) {
  await fromEach(addresses, AT_ONCE, async (address) => {
    const socket = dial(port, address);
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    socket.destroy();
  });
}

/** One device that publishes as fast as its socket takes it, and does not wait for acknowledgements. */
async function publishes({ port, device, password }) {
  const payload = Buffer.from(JSON.stringify({ ts: Date.now(), values: { pm25: 12.5 } }));
  await pour(port, device, password, payload, 100);
}

async function oversize({ port, device, password }) {
  await pour(port, device, password, Buffer.alloc(1_000_000, 'x'), 1);
}

/** No flood at all: a core that is busy with something else. */
async function spin() {
  while (!stopped) {
    for (const until = performance.now() + 50; performance.now() < until;);
    await delay(0);
  }
}

async function pour(port, device, password, payload, batch) {
  const socket = await connected(port, '127.0.0.1', device, password);
  socket.resume();
  socket.once('close', () => process.exit(1));
  const message = publishPacket(`pantau/v1/bench/${device}/telemetry`, 1, payload);
  const bytes = Buffer.concat(Array.from({ length: batch }, () => message));
  while (!stopped) {
    const takes = socket.write(bytes);
    attempts += batch;
    if (!takes) await once(socket, 'drain');
    await delay(0);
  }
}

/** Runs the attempt over and over, `each` times at once from every address. */
async function fromEach(addresses, each, attempt) {
  const loop = async (address) => {
    while (!stopped) {
      attempts++;
      await attempt(address);
    }
  };
  await Promise.all(addresses.flatMap((address) => Array.from({ length: each }, () => loop(address))));
}

function dial(port, address) {
  const socket = connect({ host: '127.0.0.1', port, localAddress: address, noDelay: true });
  socket.on('error', () => undefined);
  socket.resume();
  return socket;
}

async function connected(port, address, device, password) {
  const socket = connect({ host: '127.0.0.1', port, localAddress: address, noDelay: true });
  socket.write(connectPacket(device, password));
  const [connack] = await once(socket, 'data');
  if (connack[3] !== 0) throw new Error(`the broker refuses ${device}: ${connack[3]}`);
  return socket;
}

async function puback(socket) {
  const [answer] = await once(socket, 'data');
  if (answer[0] !== PUBACK) throw new Error(`no PUBACK but ${answer.toString('hex')}`);
}
