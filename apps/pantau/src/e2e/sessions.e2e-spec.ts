import { eachEntry } from '#libs/journal';
import { LocalBrokerQueries } from '#libs/broker-state';
import type { SetAsideTopic } from '#libs/telemetry';
import { waitUntil } from '#libs/testing';
import mqtt from 'mqtt';
import { readFileSync } from 'node:fs';
import { PantauFixture } from './pantau.fixture.js';
import { makers, pageOf, sessionOf, type Session, type SessionMessage } from './session.fixture.js';

const SITES = 'sites:\n  - { id: talang-kelapa, name: Talang Kelapa }\ndevices: []\n';

/** Pantau as the page says: its mappings in the configuration, its commands typed. @returns passwords by device */
async function setUp(
  maker: string,
): Promise<PantauFixture & { readonly passwords: Readonly<Record<string, string>> }> {
  const [page] = pageOf(maker);
  const pantau = await new PantauFixture().start(page.mappings, SITES);
  for (const command of page.commands) {
    const { code, output } = await pantau.command(...command, '--credentials', pantau.file('passwords.json'));
    expect([command, code, output]).toEqual([command, 0, output]);
  }
  const passwords = JSON.parse(readFileSync(pantau.file('passwords.json'), 'utf8')) as Record<string, string>;
  return Object.assign(pantau, { passwords });
}

/** Plays a session over MQTT. The connection must stay to its end, which is the kind that leaves the will. */
async function playMqtt(pantau: PantauFixture, session: Session, password: string): Promise<void> {
  const { client: id, will, qos } = session;
  const client = await mqtt.connectAsync(pantau.url, {
    ...{ clientId: id, username: id, password, reconnectPeriod: 0 },
    ...(will === undefined
      ? {}
      : { will: { topic: will.topic, payload: will.payload, qos, retain: will.retain } }),
  });
  let last = 'CONNECT';
  const closed = new Promise<never>((_resolve, reject) => {
    client.once('close', () => reject(new Error(`the connection was closed after ${last}`)));
  });
  closed.catch(() => undefined);
  for (const { topic, payload, retain } of session.messages) {
    last = topic;
    await Promise.race([client.publishAsync(topic, payload, { qos, retain }), closed]);
  }
  // Acknowledged after everything before it was taken.
  const end = `pantau/v1/talang-kelapa/${id}/status`;
  await Promise.race([client.publishAsync(end, '{"state":"online"}', { qos: 1 }), closed]);
  client.stream.destroy();
}

async function playHttp(
  pantau: PantauFixture,
  { client, messages }: Session,
  password: string,
): Promise<void> {
  for (const { topic, payload } of messages) {
    const response = await fetch(new URL(topic.replace('POST ', ''), pantau.intake), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${client}:${password}`).toString('base64')}`,
      },
      body: payload,
    });
    expect([topic, response.status]).toEqual([topic, 202]);
  }
}

const keyOf = ({ shard, offset }: { readonly shard: number; readonly offset: number }): string =>
  `${shard}/${offset}`;

/** What became of every uplink, in the order in which each topic brought them. */
async function outcomes({
  engines: { journal },
}: PantauFixture): Promise<{ topic: string; outcome: string }[]> {
  const parts = new Map<string, string[]>();
  const add = (ref: { readonly shard: number; readonly offset: number }, part: string): void => {
    parts.set(keyOf(ref), [...(parts.get(keyOf(ref)) ?? []), part]);
  };
  await eachEntry(journal, 'readings', ({ data }) => {
    if (data.amendment === true) return;
    const values = data.readings.map(
      ({ parameter, value }) => `${parameter} ${Math.round(value * 100) / 100}`,
    );
    add(data.uplink, `${data.device}: ${values.sort().join(', ')}`);
  });
  await eachEntry(journal, 'signals', ({ data }) => {
    if (data.type === 'presence') return;
    add(data.uplink, `${data.device}: ${data.type} ${data.type === 'event' ? data.name : data.state}`);
  });
  await eachEntry(journal, 'rejected', ({ data: { source, reason } }) => {
    if (source?.stream !== 'uplink') return;
    add(source, reason === 'nothing_to_keep' ? 'nothing to keep' : `refused ${reason}`);
  });
  const found: { topic: string; outcome: string; receivedAt: number }[] = [];
  await eachEntry(journal, 'uplink', ({ shard, offset, data: { topic, receivedAt } }) => {
    const outcome = (parts.get(keyOf({ shard, offset })) ?? ['without a trace']).sort().join('; ');
    found.push({ topic, outcome, receivedAt });
  });
  return found.toSorted((a, b) => a.receivedAt - b.receivedAt);
}

const byTopic = (messages: readonly { topic: string; outcome: string }[]): Record<string, string[]> => {
  const grouped: Record<string, string[]> = {};
  for (const { topic, outcome } of messages) (grouped[topic] ??= []).push(outcome);
  return grouped;
};

const isNotMapped = ({ outcome }: SessionMessage): boolean => outcome === 'not mapped';

describe.each(makers())('a whole session of %s, set up as its page says', (maker) => {
  it('is told alike in both languages', () => {
    const [indonesian, english] = pageOf(maker);
    expect(indonesian.commands.length).toBeGreaterThan(0);
    expect(english).toMatchObject({ commands: indonesian.commands, mappings: indonesian.mappings });
  });

  it('keeps its connection, brings something, and leaves no message without an account', async () => {
    const session = sessionOf(maker, Date.now());
    const { messages, client, will } = session;
    await using pantau = await setUp(maker);
    const isHttp = messages.every(({ topic }) => topic.startsWith('POST '));
    if (isHttp) {
      for (const { topic } of messages) expect(pageOf(maker)[0].text).toContain(topic.replace('POST ', ''));
      await playHttp(pantau, session, pantau.passwords[client]!);
    } else await playMqtt(pantau, session, pantau.passwords[client]!);

    const sent = will === undefined ? messages : [...messages, will];
    const listed = async (): Promise<readonly SetAsideTopic[]> => {
      const queries = new LocalBrokerQueries(pantau.engines.state);
      return (await queries.setAsideTopics({ sender: client, limit: 1_000 })).map(({ value }) => value);
    };
    const expected = sent.filter((message) => !isNotMapped(message));
    const aside = sent.filter(isNotMapped);
    await waitUntil('everything has arrived', async () => {
      const counted = (await listed()).reduce((sum, { count }) => sum + count, 0);
      const arrived = (await outcomes(pantau)).filter(({ topic }) => !topic.startsWith('pantau/'));
      return counted >= aside.length && arrived.length >= expected.length;
    });
    await pantau.caughtUp();

    const found = (await outcomes(pantau)).filter(({ topic }) => !topic.startsWith('pantau/'));
    // An uplink over HTTP has no topic.
    const wanted = expected.map(({ topic, outcome }) => ({ topic: isHttp ? '' : topic, outcome }));
    expect(byTopic(found)).toEqual(byTopic(wanted));
    // A reading, a heartbeat, or the events of a device that has nothing else.
    expect(found.some(({ outcome }) => /: (?!status)/.test(outcome))).toBe(true);

    const topics = await listed();
    expect(topics.map(({ topic }) => topic).sort()).toEqual(
      [...new Set(aside.map(({ topic }) => topic))].sort(),
    );
    for (const { topic, reason, count, sample } of topics) {
      const ofIt = aside.filter((message) => message.topic === topic);
      expect({ topic, reason, count }).toEqual({ topic, reason: 'not_mapped', count: ofIt.length });
      expect(Buffer.from(sample).equals(ofIt[0]!.payload)).toBe(true);
    }
  });
});
