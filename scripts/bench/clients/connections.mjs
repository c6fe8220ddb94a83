/**
 * Idle devices over raw sockets, for connections.mjs: each connects, subscribes to its commands as a device does, and
 * keeps itself alive. Told `publish`, the first one sends a reading.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { built } from '../bench.mjs';

const { connectPacket, publishPacket, subscribePacket } = await built('simulators/load');
const [CONNACK, PUBACK, SUBACK, PINGRESP] = [0x20, 0x40, 0x90, 0xd0];
const PINGREQ = Buffer.from([0xc0, 0]);

const [{ port, devices, keepAliveSeconds, atOnce }] = await once(process, 'message');
const open = [];
let [pings, pongs, lost] = [0, 0, 0];
const failures = new Map();

const queue = devices.values();
await Promise.all(Array.from({ length: atOnce }, connectNext));
process.send({ connected: open.length, failures: [...failures] });

// Spread over the keep-alive, as devices that came at different times are.
void (async () => {
  for (;;) {
    for (const [i, device] of open.entries()) {
      if (!device.socket.destroyed) {
        device.socket.write(PINGREQ);
        pings++;
      }
      if (i % 10 === 9) await delay((keepAliveSeconds * 1_000 * 10) / open.length);
    }
    if (open.length < 10) await delay(keepAliveSeconds * 1_000);
  }
})();

process.on('message', async (question) => {
  if (question === 'status') process.send({ connected: open.length - lost, pings, pongs });
  if (question !== 'publish') return;
  const [{ id, socket }] = open;
  const acknowledged = new Promise((resolve) => (open[0].onPuback = resolve));
  const payload = Buffer.from(JSON.stringify({ ts: Date.now(), values: { pm25: 12.5 } }));
  socket.write(publishPacket(`pantau/v1/bench/${id}/telemetry`, 7, payload));
  process.send({ acknowledged: await Promise.race([acknowledged, delay(10_000, false)]) });
});

async function connectNext() {
  for (const device of queue) {
    const failure = await connectDevice(device);
    if (failure !== undefined) failures.set(failure, (failures.get(failure) ?? 0) + 1);
  }
}

/** @returns why it could not connect */
function connectDevice({ id, password, address }) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: address, noDelay: true });
    const device = { id, socket, onPuback: () => undefined };
    let isOpen = false;
    socket.on('connect', () => socket.write(connectPacket(id, password, keepAliveSeconds)));
    socket.on('error', ({ code }) => resolve(code));
    socket.on('close', () => {
      if (isOpen) lost++;
      resolve('closed by the broker');
    });
    socket.on('data', (chunk) => {
      // Every answer is shorter than 128 bytes, so its length is one byte.
      for (let at = 0; at + 1 < chunk.length; at += 2 + chunk[at + 1]) {
        const code = chunk[at + 3];
        if (chunk[at] === CONNACK && code === 0) socket.write(subscribePacket(`pantau/v1/bench/${id}/cmd/#`));
        else if (chunk[at] === CONNACK) resolve(`CONNACK ${code}`);
        else if (chunk[at] === SUBACK) {
          isOpen = true;
          open.push(device);
          resolve(undefined);
        } else if (chunk[at] === PINGRESP) pongs++;
        else if (chunk[at] === PUBACK) device.onPuback(true);
      }
    });
  });
}
