/**
 * The clients of api.mjs, one role in each process: devices that publish at a steady pace and measure their
 * acknowledgements, readers of live events beside a device of their own, and whoever asks the API.
 */
import { on, once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { built } from '../bench.mjs';

const { connectPacket, publishPacket } = await built('simulators/load');
const PUBACK = 0x40;

const messages = on(process, 'message');
const next = async () => (await messages.next()).value[0];
const { role, ...options } = await next();
await { devices, readers, asker }[role](options);

async function connected(port, device, password) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.write(connectPacket(device, password));
  const [connack] = await once(socket, 'data');
  if (connack[3] !== 0) throw new Error(`the broker refuses ${device}: ${connack[3]}`);
  socket.once('close', () => process.exit(1));
  return socket;
}

/** Publishes and waits for the PUBACK; whatever had to wait counts from when it was due. @returns milliseconds */
async function published(socket, device, n, due, value, site = 'bench') {
  const late = performance.now() - due;
  if (late < 0) await delay(-late);
  const payload = Buffer.from(JSON.stringify({ ts: Date.now(), values: { pm25: value } }));
  socket.write(publishPacket(`pantau/v1/${site}/${device}/telemetry`, (n % 65_535) + 1, payload));
  const [answer] = await once(socket, 'data');
  if (answer[0] !== PUBACK) throw new Error(`no PUBACK but ${answer.toString('hex')}`);
  return performance.now() - due;
}

/** Asked for a measurement, publishes for so long from all devices, or as many as there are messages, and answers with the latencies. */
async function devices({ port, tokens, sites = {}, ...options }) {
  const names = Object.keys(tokens);
  const sockets = [];
  // So many may knock at a time from one address.
  for (let i = 0; i < names.length; i += 50)
    sockets.push(
      ...(await Promise.all(names.slice(i, i + 50).map((name) => connected(port, name, tokens[name])))),
    );
  process.send('ready');
  let n = 0;
  for (;;) {
    const { seconds, perSecond = options.perSecond } = await next();
    const startedAt = performance.now();
    const publishing = Math.min(names.length, Math.ceil(seconds * perSecond));
    const everyMs = (1_000 * publishing) / perSecond;
    const count = Math.round((seconds * 1_000) / everyMs);
    const latencies = [];
    await Promise.all(
      sockets.slice(0, publishing).map(async (socket, device) => {
        const name = names[device];
        const first = startedAt + (everyMs * device) / publishing;
        for (let i = 0; i < count; i++)
          latencies.push(await published(socket, name, n + i, first + i * everyMs, 12.5, sites[name]));
      }),
    );
    n += count;
    process.send({ latencies, perSecond: latencies.length / ((performance.now() - startedAt) / 1_000) });
  }
}

/** Follow one device or all of them. The device publishes here too, so that one clock measures both. */
async function readers({ port, httpPort, device, password, bearer, count, everything }) {
  const socket = await connected(port, device, password);
  const agent = new Agent({ maxSockets: Infinity });
  /** When each message was acknowledged, by its number. */
  const acknowledged = new Map();
  const ofDevice = { count, query: `&device=${device}`, delays: [], waiting: new Map() };
  const ofAll = { count: everything, query: '', delays: [], waiting: new Map() };
  const groups = [ofDevice, ofAll];
  const seen = ({ delays, waiting }, n, at) => {
    const ack = acknowledged.get(n);
    if (ack === undefined) waiting.set(n, [...(waiting.get(n) ?? []), at]);
    else delays.push(at - ack);
  };
  const open = (group) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${bearer}` };
      const path = `/api/v1/live?topics=readings${group.query}`;
      get({ agent, host: '127.0.0.1', port: httpPort, path, headers }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`live: ${response.statusCode}`));
        response.once('data', resolve);
        const mark = `"device":"${device}"`;
        let rest = '';
        response.setEncoding('latin1').on('data', (text) => {
          const at = performance.now();
          // An event may come in two parts.
          const all = rest + text;
          const end = all.lastIndexOf('\n\n') + 2;
          if (end < 2) return void (rest = all);
          rest = all.slice(end);
          for (let i = all.indexOf(mark); i >= 0 && i < end; i = all.indexOf(mark, i + 1)) {
            const [, n] = /"parameter":"pm25","value":(\d+)/.exec(all.slice(i, all.indexOf('\n', i))) ?? [];
            if (n !== undefined) seen(group, Number(n), at);
          }
        });
      }).on('error', reject);
    });
  for (const group of groups)
    for (let opened = 0; opened < group.count; opened += 50)
      await Promise.all(Array.from({ length: Math.min(50, group.count - opened) }, () => open(group)));
  process.send('ready');
  const { seconds, perSecond } = await next();
  for (let n = 1; n <= seconds * perSecond; n++) {
    await published(socket, device, n, performance.now() + 1_000 / perSecond, n);
    const at = performance.now();
    acknowledged.set(n, at);
    // Some readers had it before this process had the PUBACK.
    for (const { waiting, delays } of groups) {
      for (const early of waiting.get(n) ?? []) delays.push(early - at);
      waiting.delete(n);
    }
  }
  const wanted = (group) => seconds * perSecond * group.count;
  for (let i = 0; i < 300 && groups.some((group) => group.delays.length < wanted(group)); i++)
    await delay(100);
  const figures = (group) => ({ count: group.count, delays: group.delays, wanted: wanted(group) });
  process.send({ ofDevice: figures(ofDevice), ofAll: figures(ofAll) });
  await next();
}

/** Asks each of the routes in turn, one request at a time, and answers with the latencies by route. */
async function asker({ httpPort, bearers, routes }) {
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  const ask = (path) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${bearers[turn++ % bearers.length]}` };
      const startedAt = performance.now();
      get({ agent, host: '127.0.0.1', port: httpPort, path: `/api/v1/${path}`, headers }, (response) => {
        let bytes = 0;
        response.on('data', (chunk) => (bytes += chunk.length));
        response.on('end', () => {
          if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode}`));
          else resolve({ ms: performance.now() - startedAt, bytes });
        });
        response.on('error', reject);
      }).on('error', reject);
    });
  process.send('ready');
  for (;;) {
    const { seconds } = await next();
    const until = performance.now() + seconds * 1_000;
    const results = routes.map(() => ({ ms: [], bytes: 0 }));
    // Each at least a few times, however long it takes.
    for (let round = 0; round < 3 || performance.now() < until; round++)
      for (const [i, path] of routes.entries()) {
        const { ms, bytes } = await ask(path);
        results[i].ms.push(ms);
        results[i].bytes = bytes;
      }
    process.send({ results });
  }
}
