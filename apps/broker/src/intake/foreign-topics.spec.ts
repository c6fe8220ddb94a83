import { TopicMappings, type SetAsideTopic } from '#libs/telemetry';
import { SET_ASIDE_TOPICS } from '#namespaces/broker-state';
import { waitUntil } from '#libs/testing';
import { createHash } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import { assertBounded, boundary } from '../bounds.fixture.js';
import { event, openBroker, type BrokerFixture, type RawClient } from '../broker.fixture.js';

const OWN = 'pantau/v1/betung/udara-01/telemetry';
const FOREIGN = 'pantau/v1/betung/udara-02/telemetry';

async function listed(fixture: BrokerFixture): Promise<SetAsideTopic[]> {
  return (await fixture.state.list(SET_ASIDE_TOPICS)).map(({ value }) => value);
}

async function payloads(fixture: BrokerFixture): Promise<string[]> {
  return (await fixture.entries('uplink')).map(({ data }) => Buffer.from(data.payload).toString());
}

function publish(client: RawClient, topic: string, messageId: number, payload = 'x', qos: 1 | 2 = 1): void {
  client.send({ cmd: 'publish', topic, payload, qos, messageId, dup: false, retain: false });
}

/** Everything that an account that may read all hears. */
async function listener(fixture: BrokerFixture): Promise<{ client: MqttClient; heard: string[] }> {
  await fixture.account('listener', [], ['#']);
  const client = await fixture.connect('listener', { password: fixture.passwords['listener'] });
  const heard: string[] = [];
  client.on('message', (topic) => heard.push(topic));
  await client.subscribeAsync('#', { qos: 1 });
  return { client, heard };
}

describe('a publish to a topic that is not the sender’s', () => {
  it.each([
    [FOREIGN, 'topic_not_allowed'],
    ['pantau/v1/other/udara-01/telemetry', 'topic_not_allowed'],
    ['pantau/v1/betung/udara-01/cmd/1', 'topic_not_allowed'],
    ['pantau/v1/betung/udara-01/config', 'topic_not_allowed'],
    ['pantau/elsewhere', 'topic_not_allowed'],
    ['$SYS/x', 'topic_not_allowed'],
    ['tele/udara-02/SENSOR', 'topic_not_allowed'],
    ['tele/nobody/SENSOR', 'not_mapped'],
    ['pantau/v1/betung/udara-01/unknown', 'not_mapped'],
    ['anything', 'not_mapped'],
    ['homeassistant/sensor/x/config', 'not_mapped'],
  ])('%s is acknowledged, kept as %s, and delivered to nobody', async (topic, reason) => {
    await using fixture = await openBroker({
      mappings: new TopicMappings([{ pattern: 'tele/{device}/SENSOR', codec: 'tasmota' }]),
    });
    const { heard } = await listener(fixture);
    const client = await fixture.connect('udara-01');
    for (const qos of [1, 2, 0] as const)
      await client.publishAsync(topic, `at ${qos}`, { qos, retain: true });
    await client.publishAsync(OWN, 'own', { qos: 1 });
    expect(client.connected).toBe(true);
    expect(await payloads(fixture)).toEqual(['own']);
    expect(await listed(fixture)).toEqual([
      expect.objectContaining({ sender: 'udara-01', site: 'betung', reason, topic, count: 3, retain: true }),
    ]);
    expect(Buffer.from((await listed(fixture))[0]!.sample).toString()).toBe('at 1');
    // Whoever comes later finds nothing retained either.
    const later = await fixture.connect('listener', {
      password: fixture.passwords['listener'],
      clientId: 'later',
    });
    const found: string[] = [];
    later.on('message', (name) => found.push(name));
    await later.subscribeAsync(topic.startsWith('$') ? '#' : topic, { qos: 1 });
    await client.publishAsync(OWN, 'last', { qos: 1 });
    await waitUntil('the last one is heard', () => heard.length === 2);
    expect([...heard, ...found.filter((name) => name !== OWN)]).toEqual([OWN, OWN]);

    const refusals = (await fixture.entries('rejected')).map(({ data }) => data);
    if (reason === 'not_mapped') {
      expect(refusals).toEqual([]);
      expect((await fixture.broker.metrics.notMapped.get()).values[0]?.value).toBe(3);
      return;
    }
    const counted = async (): Promise<number> =>
      (await fixture.entries('rejected')).reduce((sum, { data }) => sum + data.count, 0);
    await waitUntil('it is among the rejected', async () => (await counted()) === 3);
    const first = await fixture.rejection('topic_not_allowed');
    expect(first).toMatchObject({ device: 'udara-01', site: 'betung', topic, payloadBytes: 4 });
    expect(Buffer.from(first.payload!).toString()).toBe('at 1');
    expect(await fixture.refused('topic_not_allowed')).toBe(3);
  });

  it('is durable before it is acknowledged, counted again after a crash, and told once', async () => {
    await using fixture = await openBroker({ refusalsEveryMs: 60_000 });
    const client = await fixture.connect('udara-01');
    await client.publishAsync(FOREIGN, 'x', { qos: 1 });
    // Nothing is told yet; what counts is here.
    expect(await fixture.entries('rejected')).toHaveLength(0);
    expect(await listed(fixture)).toMatchObject([{ count: 1, reported: 0 }]);
    await fixture.restart();
    await fixture.rejection('topic_not_allowed');
    await fixture.restart();
    expect(await listed(fixture)).toMatchObject([{ count: 1, reported: 1 }]);
    expect(await fixture.entries('rejected')).toHaveLength(1);
  });

  it('is acknowledged in its turn', async () => {
    await using fixture = await openBroker();
    const client = await fixture.raw();
    await client.connect('udara-01', fixture.passwords['udara-01']!);
    publish(client, OWN, 1);
    await client.next('puback');
    const topics = [OWN, OWN, FOREIGN, OWN, 'anything', 'tele/x', OWN, OWN, FOREIGN, OWN];
    topics.forEach((topic, i) => publish(client, topic, i + 2));
    const order: (number | undefined)[] = [];
    while (order.length < topics.length) order.push((await client.next('puback')).messageId);
    expect(order).toEqual(topics.map((_, i) => i + 2));
  });

  it('of QoS 2 that is sent again counts once', async () => {
    await using fixture = await openBroker();
    const client = await fixture.raw();
    await client.connect('udara-01', fixture.passwords['udara-01']!);
    for (let i = 0; i < 2; i++) {
      publish(client, 'anything', 7, 'x', 2);
      await client.next('pubrec');
    }
    client.send({ cmd: 'pubrel', messageId: 7 });
    await client.next('pubcomp');
    expect(await listed(fixture)).toMatchObject([{ count: 1 }]);
  });

  it('costs the connection where the configuration says so, when it is somebody else’s', async () => {
    await using fixture = await openBroker({ deny: 'disconnect' });
    const client = await fixture.connect('udara-01');
    await client.publishAsync('anything', 'x', { qos: 1 });
    client.publish(FOREIGN, 'x', { qos: 1 }, () => undefined);
    await event(client, 'close');
    expect(await fixture.rejection('topic_not_allowed')).toMatchObject({ topic: FOREIGN });
  });

  it('of an account outside of its filters does not cost its connection', async () => {
    await using fixture = await openBroker();
    await fixture.account('writer', ['free/#'], []);
    const client = await fixture.connect('writer', { password: fixture.passwords['writer'] });
    await client.publishAsync('$SYS/x', 'x', { qos: 1 });
    await client.publishAsync('other', 'x', { qos: 1 });
    await client.publishAsync('free/x', 'x', { qos: 1 });
    expect((await listed(fixture)).map(({ topic, reason }) => [topic, reason]).sort()).toEqual([
      ['$SYS/x', 'topic_not_allowed'],
      ['other', 'topic_not_allowed'],
    ]);
  });

  it('keeps of a very long one its beginning, and of a large message a sample', async () => {
    await using fixture = await openBroker();
    const client = await fixture.connect('udara-01');
    for (const end of ['a', 'b'])
      await client.publishAsync('x'.repeat(30_000) + end, Buffer.alloc(9_000), { qos: 1 });
    const records = await listed(fixture);
    expect(records).toHaveLength(2);
    for (const { topic, sample, sampleBytes } of records)
      expect([topic!.length, sample.length, sampleBytes]).toEqual([256, 512, 9_000]);
  });
});

describe('a last will', () => {
  const will = (topic: string) => ({ topic, payload: Buffer.from('gone'), qos: 1 as const, retain: true });

  it.each([FOREIGN, '$SYS/x', 'pantau/v1/betung/udara-01/cmd/1'])(
    'on %s, which is somebody else’s, is refused at CONNECT',
    async (topic) => {
      await using fixture = await openBroker();
      const client = await fixture.raw();
      await expect(
        client.connect('udara-01', fixture.passwords['udara-01']!, { will: will(topic) }),
      ).rejects.toThrow('CONNACK 5');
      expect(await fixture.rejection('topic_not_allowed', 'last will')).toMatchObject({
        device: 'udara-01',
        topic,
      });
    },
  );

  it('on a topic that nobody mapped is harmless', async () => {
    await using fixture = await openBroker();
    const { heard } = await listener(fixture);
    const client = await fixture.raw();
    await client.connect('udara-01', fixture.passwords['udara-01']!, { will: will('tele/uji/LWT') });
    client.socket.destroy();
    const records = await waitUntil('it is kept', async () => {
      const found = await listed(fixture);
      return found.length > 0 && found;
    });
    expect(records).toMatchObject([{ topic: 'tele/uji/LWT', reason: 'not_mapped', count: 1 }]);
    await (await fixture.connect('udara-01')).publishAsync(OWN, 'x', { qos: 1 });
    await waitUntil('the device is heard', () => heard.length > 0);
    expect(heard).toEqual([OWN]);
  });

  it.each([
    ['of a revoked device is not delivered', 'revoke', 0],
    ['of a device whose connection is lost is', 'destroy', 1],
  ])('%s', async (_title, end, expected) => {
    await using fixture = await openBroker();
    const { heard } = await listener(fixture);
    const client = await fixture.raw();
    await client.connect('udara-01', fixture.passwords['udara-01']!, {
      will: will('pantau/v1/betung/udara-01/status'),
    });
    if (end === 'revoke') await fixture.administration.revoke('udara-01');
    else client.socket.destroy();
    await client.closed;
    await waitUntil('its end is told', async () => (await fixture.entries('signals')).length === 2);
    await (await fixture.connect('udara-02')).publishAsync(FOREIGN, 'x', { qos: 1 });
    await waitUntil('the neighbour is heard', () => heard.includes(FOREIGN));
    expect(heard.filter((topic) => topic.endsWith('/status'))).toHaveLength(expected);
    expect((await fixture.entries('uplink')).filter(({ data }) => data.will)).toHaveLength(expected);
  });
});

/** What a Tasmota, an ESPHome node, Zigbee2MQTT and Frigate publish beside what their pages map. */
const SESSIONS: Readonly<
  Record<string, { pattern: string; will: string; topics: readonly string[]; mapped: string }>
> = {
  Tasmota: {
    pattern: 'tele/{device}/SENSOR',
    will: 'tele/udara-01/LWT',
    topics: [
      'tele/udara-01/LWT',
      'cmnd/udara-01/POWER',
      'tele/udara-01/INFO1',
      'stat/udara-01/RESULT',
      'tasmota/discovery/0/config',
    ],
    mapped: 'tele/udara-01/SENSOR',
  },
  ESPHome: {
    pattern: '{device}/sensor/{quantity}/state',
    will: 'udara-01/status',
    topics: ['udara-01/status', 'homeassistant/sensor/udara-01/pm_2_5/config', 'udara-01/debug'],
    mapped: 'udara-01/sensor/pm_2_5/state',
  },
  Zigbee2MQTT: {
    pattern: 'zigbee2mqtt/{device}',
    will: 'zigbee2mqtt/bridge/state',
    topics: ['zigbee2mqtt/bridge/state', 'zigbee2mqtt/bridge/info', 'zigbee2mqtt/lamp'],
    mapped: 'zigbee2mqtt/udara-01',
  },
  Frigate: {
    pattern: 'frigate/stats',
    will: 'frigate/available',
    topics: ['frigate/available', 'frigate/cctv-01/detect/state', 'frigate/events'],
    mapped: 'frigate/stats',
  },
};

describe('a device whose maker publishes more than its mapped topics', () => {
  it.each(Object.entries(SESSIONS))(
    '%s stays connected, and what is mapped arrives',
    async (_maker, session) => {
      const { pattern, will, topics, mapped } = session;
      await using fixture = await openBroker({ mappings: new TopicMappings([{ pattern, codec: 'any' }]) });
      const client = await fixture.connect('udara-01', {
        will: { topic: will, payload: Buffer.from('offline'), qos: 1, retain: true },
      });
      for (const topic of topics) await client.publishAsync(topic, '{}', { qos: 1, retain: true });
      await client.publishAsync(mapped, 'mapped', { qos: 1 });
      expect(client.connected).toBe(true);
      expect(await payloads(fixture)).toEqual(['mapped']);
      const records = await listed(fixture);
      expect(records.map(({ topic }) => topic).sort()).toEqual([...topics].sort());
      expect(records.every(({ reason }) => reason === 'not_mapped')).toBe(true);
    },
  );
});

describe('the keys of what is set aside', () => {
  it('are by sender', async () => {
    await using fixture = await openBroker();
    await (await fixture.connect('udara-01')).publishAsync('anything', 'x', { qos: 1 });
    const [record] = await fixture.state.list(SET_ASIDE_TOPICS, { prefix: 'udara-01/' });
    expect(record?.key).toBe(
      `udara-01/${createHash('sha256').update('anything').digest('hex').slice(0, 32)}`,
    );
  });
});

describe('a flood of foreign topics', () => {
  boundary(
    'Foreign topics',
    'a thousand different topics of 30,000 bytes, half of them somebody else’s',
    async () => {
      await using fixture = await openBroker({ limits: { foreignTopicsPerClient: 20 } });
      await assertBounded(fixture, async () => {
        const client = await fixture.connect('udara-01');
        const topics = Array.from(
          { length: 1_000 },
          (_, i) => `${i % 2 === 0 ? 'pantau/' : ''}${'x'.repeat(30_000)}${i}`,
        );
        await Promise.all(topics.map((topic) => client.publishAsync(topic, 'x'.repeat(2_000), { qos: 1 })));
        return () => undefined;
      });
      const records = await listed(fixture);
      expect(records.length).toBeLessThanOrEqual(22);
      expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
    },
  );
});
