import { MEASURED_CODES } from '#libs/telemetry';
import { describeWith, freePort, startMosquitto } from '#libs/testing';
import mqtt from 'mqtt';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { runLoad } from './load.js';

describeWith(['mosquitto'], 'the load generator', () => {
  it('sends every message once, each with its own instant, and counts acknowledgements', async () => {
    await using server = await startMosquitto();
    const listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`);
    await listener.subscribeAsync('load/#', { qos: 0 });
    const received = new Map<string, number[]>();
    let count = 0;
    const all = new Promise<void>((resolve) =>
      listener.on('message', (topic, payload) => {
        const { ts } = JSON.parse(payload.toString()) as { ts: number };
        received.set(topic, [...(received.get(topic) ?? []), ts]);
        if (++count === 3_000) resolve();
      }),
    );
    const firstTs = Date.parse('2026-01-01T00:00:00Z');
    const report = await runLoad({
      host: '127.0.0.1',
      port: server.port,
      connections: [
        { clientId: 'one', topics: ['load/a', 'load/b'] },
        { clientId: 'two', topics: ['load/c', 'load/d'] },
      ],
      pace: { inFlight: 20 },
      messages: 3_000,
      firstTs,
    });
    expect(report.acknowledged).toBe(3_000);
    expect(report.rate).toBeCloseTo(report.acknowledged / report.seconds);
    const { p50, p95, p99 } = report.ackLatencyMs;
    expect(p50 > 0 && p50 <= p95 && p95 <= p99).toBe(true);
    expect(report.processorSeconds).toBeGreaterThan(0);
    await all;
    await listener.endAsync();
    expect([...received.keys()].sort()).toEqual(['load/a', 'load/b', 'load/c', 'load/d']);
    for (const instants of received.values())
      expect(instants).toEqual(Array.from({ length: 750 }, (_, i) => firstTs + i * 60_000));
  });

  it('states what it is told to, and another value each time', async () => {
    await using server = await startMosquitto();
    const listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`);
    await listener.subscribeAsync('load/#', { qos: 0 });
    const received: Record<string, number>[] = [];
    const all = new Promise<void>((resolve) =>
      listener.on('message', (_topic, payload) => {
        received.push((JSON.parse(payload.toString()) as { values: Record<string, number> }).values);
        if (received.length === 20) resolve();
      }),
    );
    await runLoad({
      host: '127.0.0.1',
      port: server.port,
      connections: [{ clientId: 'one', topics: ['load/a'] }],
      parameters: MEASURED_CODES,
      pace: { inFlight: 1 },
      messages: 20,
      firstTs: Date.parse('2026-01-01T00:00:00Z'),
    });
    await all;
    await listener.endAsync();
    for (const values of received) expect(Object.keys(values)).toEqual(MEASURED_CODES);
    for (const parameter of MEASURED_CODES) {
      const values = received.map((each) => each[parameter]);
      expect(values.filter((value, i) => value === values[i - 1])).toEqual([]);
    }
  });

  it('keeps a rate in the open loop, and shows a pause of the broker in the latency of all who had to wait', async () => {
    await using server = await startMosquitto();
    const options = {
      ...{ host: '127.0.0.1', port: server.port, firstTs: Date.parse('2026-01-01T00:00:00Z') },
      ...{ pace: { perSecond: 1_000 }, messages: 2_000 },
      connections: Array.from({ length: 50 }, (_, i) => ({ clientId: `c-${i}`, topics: [`load/${i}`] })),
    };
    const pid = server.pid;
    const paused = delay(500).then(async () => {
      process.kill(pid, 'SIGSTOP');
      await delay(800);
      process.kill(pid, 'SIGCONT');
    });
    const report = await runLoad(options);
    await paused;
    expect(report.acknowledged).toBe(2_000);
    expect(report.rate).toBeLessThanOrEqual(1_001);
    const { p50, p95, max } = report.ackLatencyMs;
    // 800 of 2,000 messages were due while it stood still; only those of a closed loop would have been one to a connection.
    expect([p50 < 400, p95 > 500, max > 700]).toEqual([true, true, true]);
  });

  it('loads from hundreds of connections of one process', async () => {
    await using server = await startMosquitto();
    const report = await runLoad({
      ...{ host: '127.0.0.1', port: server.port, firstTs: Date.parse('2026-01-01T00:00:00Z') },
      ...{ pace: { perSecond: 5_000 }, messages: 2_000 },
      connections: Array.from({ length: 400 }, (_, i) => ({ clientId: `c-${i}`, topics: [`load/${i}`] })),
    });
    expect(report.acknowledged).toBe(2_000);
  });

  it('fails when the broker closes a connection unanswered', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.end())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connections = [{ clientId: 'a', topics: ['load/a'] }];
    const running = runLoad({
      host: '127.0.0.1',
      port,
      connections,
      pace: { inFlight: 1 },
      messages: 1,
      firstTs: 0,
    });
    await expect(running).rejects.toThrow('closes the connection of a unanswered');
    server.close();
  });

  it('fails when nobody listens', async () => {
    const port = await freePort();
    const connections = [{ clientId: 'a', topics: ['load/a'] }];
    const running = runLoad({
      host: '127.0.0.1',
      port,
      connections,
      pace: { inFlight: 1 },
      messages: 1,
      firstTs: 0,
    });
    await expect(running).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
