import { repetitions, waitUntil } from '#libs/testing';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { PantauFixture } from './pantau.fixture.js';

const KILLS = repetitions(20);
const RETAINED_TOPICS = 5;
/** Messages of each kind on their way at a time. */
const AT_ONCE = 3;
/** All of them fit into the queue of the sleeper. */
const MESSAGES_OF_A_KIND = 400;

/** Publishes one message after another, over kills, until it is told to stop; knows what was acknowledged. */
class Publisher {
  readonly acknowledged: number[] = [];
  /** Of these MQTT.js does not say whether it sent them: the connection broke while it sent others again. */
  readonly uncertain: number[] = [];
  #sent = 0;
  #isOver = false;

  constructor(
    private readonly publish: (n: number) => Promise<unknown>,
    private readonly most = MESSAGES_OF_A_KIND,
  ) {}

  /** Settles when everything that was sent is acknowledged. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#line()));
  }

  stop(): void {
    this.#isOver = true;
  }

  async #line(): Promise<void> {
    while (!this.#isOver && this.#sent < this.most) {
      const n = this.#sent++;
      await this.publish(n).then(
        () => this.acknowledged.push(n),
        () => this.uncertain.push(n),
      );
    }
  }
}

it('is killed twenty times, and what was acknowledged is neither lost nor doubled', async () => {
  await using pantau = new PantauFixture();
  await pantau.start();
  const { output } = await pantau.command(
    'account',
    'put',
    'suite',
    '--publish',
    'std/#',
    '--subscribe',
    'std/#',
  );
  const accountPassword = /[\w-]{20,}/.exec(output)?.[0] ?? '';
  const devicePassword = await pantau.engines.credentials.issue('udara-01');
  const clients: MqttClient[] = [];
  const open = async (clientId: string, options: IClientOptions = {}): Promise<MqttClient> => {
    const account = { username: 'suite', password: accountPassword };
    const client = await mqtt.connectAsync(pantau.url, {
      clientId,
      clean: false,
      reconnectPeriod: 50,
      ...account,
      ...options,
    });
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  };
  try {
    const sleeper = await open('sleeper');
    await sleeper.subscribeAsync('std/queue/#', { qos: 2 });
    await sleeper.endAsync();

    const device = await open('udara-01', { username: 'udara-01', password: devicePassword });
    const writer = await open('writer');
    const begin = Date.now() - 3_600_000;
    const read = (offset: number, qos: 1 | 2) =>
      new Publisher((n) =>
        device.publishAsync(
          'pantau/v1/betung/udara-01/telemetry',
          JSON.stringify({ ts: new Date(begin + n * 2_000 + offset).toISOString(), values: { pm25: 10 } }),
          { qos },
        ),
      );
    const queue = (qos: 1 | 2) =>
      new Publisher((n) => writer.publishAsync(`std/queue/${qos}`, String(n), { qos }));
    const newest = new Map<string, number>();
    const retained = new Publisher(async (n) => {
      const topic = `std/retained/${n % RETAINED_TOPICS}`;
      await writer.publishAsync(topic, String(n), { qos: n % 2 === 0 ? 1 : 2, retain: true });
      newest.set(topic, Math.max(n, newest.get(topic) ?? -1));
    }, 10_000);
    const [readings1, readings2, queued1, queued2] = [read(0, 1), read(1_000, 2), queue(1), queue(2)];
    const publishers = [readings1, readings2, queued1, queued2, retained];
    const over = Promise.all(publishers.map((publisher) => publisher.run()));
    // A failure is told below.
    over.catch(() => undefined);

    /** Whoever subscribes now sees what was acknowledged, or what was sent after it. */
    const checkRetained = async (): Promise<void> => {
      const acknowledged = new Map(newest);
      const reader = await open('reader', { clean: true });
      const seen = new Map<string, number>();
      reader.on('message', (topic, payload, { retain }) => {
        if (retain) seen.set(topic, Number(payload.toString()));
      });
      await reader.subscribeAsync('std/retained/+', { qos: 1 });
      await waitUntil('all retained messages are there', () => seen.size >= acknowledged.size);
      for (const [topic, n] of acknowledged) expect(seen.get(topic)).toBeGreaterThanOrEqual(n);
      await reader.endAsync();
    };
    const acknowledgedInAll = (): number =>
      publishers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    for (let kill = 1; kill <= KILLS; kill++) {
      const before = acknowledgedInAll();
      await waitUntil('something was acknowledged', () => acknowledgedInAll() >= before + 10);
      await pantau.kill();
      await checkRetained();
    }
    for (const publisher of publishers) publisher.stop();
    await over;
    await checkRetained();

    // Of QoS 2 everything once and in the end nothing else; QoS 1 may repeat what was on its way.
    const heard: Record<string, number[]> = { 'std/queue/1': [], 'std/queue/2': [] };
    const awake = mqtt.connect(pantau.url, {
      clientId: 'sleeper',
      clean: false,
      username: 'suite',
      password: accountPassword,
    });
    clients.push(awake);
    awake.on('message', (topic, payload) => heard[topic]?.push(Number(payload.toString())));
    const ascending = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);
    await waitUntil(
      'the sleeper has everything',
      () =>
        new Set(heard['std/queue/1']).size >= queued1.acknowledged.length &&
        new Set(heard['std/queue/2']).size >= queued2.acknowledged.length,
      30_000,
    );
    const within = (numbers: Iterable<number>, { acknowledged, uncertain }: Publisher): void => {
      const known = new Set(uncertain);
      expect(ascending(numbers).filter((n) => !known.has(n))).toEqual(ascending(acknowledged));
    };
    within(new Set(heard['std/queue/1']), queued1);
    within(heard['std/queue/2'] ?? [], queued2);

    await pantau.caughtUp();
    const readings = readings1.acknowledged.length + readings2.acknowledged.length;
    expect(readings).toBeGreaterThan(KILLS);
    const { count } = (await pantau.get<{ count: number }>('readings/count')).body;
    expect(count).toBeGreaterThanOrEqual(readings);
    expect(count).toBeLessThanOrEqual(readings + readings1.uncertain.length + readings2.uncertain.length);

    // What the stages counted by day is neither lost nor doubled either: it agrees with the places of the journal.
    const { body } = await pantau.get<{
      items: { appended: number; notCounted: number; balanced: boolean }[];
    }>('reconciliation/days');
    expect(body.items.reduce((sum, { appended }) => sum + appended, 0)).toBeGreaterThanOrEqual(readings);
    expect(body.items.filter(({ balanced, notCounted }) => !balanced || notCounted !== 0)).toEqual([]);
  } finally {
    for (const client of clients) client.end(true);
  }
}, 600_000);
