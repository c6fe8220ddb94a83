import { describeWith, waitUntil } from '#libs/testing';
import { DRIVERS, said, type Message, type Subscriber } from './clients.fixture.js';
import { fresh, routed, upTo, useBroker, type Qos } from './standard.fixture.js';

// Names in brackets are those of the statements of MQTT 3.1.1 (OASIS Standard, 29 October 2014).

useBroker();
for (const [name, driver, needs] of DRIVERS)
  describeWith(needs, `seen by ${name}`, () => {
    /** Publishes and waits until it was routed. */
    const send = async (message: Message): Promise<void> => {
      const isRouted = await routed(message.topic, message.payload);
      await driver.publish(message);
      await isRouted();
    };
    const heard = (subscriber: Subscriber, count: number): Promise<readonly Message[]> =>
      waitUntil(`${count} messages are there`, () =>
        subscriber.messages().length >= count ? subscriber.messages() : undefined,
      );

    it('retains the last message of a topic until an empty one takes it away', async () => {
      const topic = fresh();
      await send(said(topic, 'one', 1, true));
      const standing = await driver.subscribe(fresh(), [topic], 1, true);
      await heard(standing, 1);
      await send(said(topic, 'two', 1, true));
      await heard(standing, 2);
      const late = await driver.subscribe(fresh(), [topic], 1, true);
      expect(await heard(late, 1)).toEqual([said(topic, 'two', 1, true)]);
      await late.leave();
      await send(said(topic, '', 1, true));
      const latest = await driver.subscribe(fresh(), [topic], 1, true);
      await send(said(topic, 'live'));
      expect(await heard(latest, 1)).toEqual([said(topic, 'live')]);
      // The flag says that a message is old, not how it was published [MQTT-3.3.1-8, MQTT-3.3.1-9].
      expect(await heard(standing, 4)).toEqual([
        said(topic, 'one', 1, true),
        said(topic, 'two'),
        said(topic, ''),
        said(topic, 'live'),
      ]);
      await Promise.all([latest.leave(), standing.leave()]);
    });

    it.each([0, 1, 2] as const)('grants QoS %i and sends nothing above it', async (qos) => {
      const topic = fresh();
      const subscriber = await driver.subscribe(fresh(), [`${topic}/a`, `${topic}/+`], qos, true);
      expect(subscriber.granted).toEqual([qos, qos]);
      for (const published of [0, 1, 2] as const)
        await send(said(`${topic}/a`, `at ${published}`, published));
      expect(await heard(subscriber, 3)).toEqual(
        ([0, 1, 2] as const).map((published) =>
          said(`${topic}/a`, `at ${published}`, Math.min(published, qos) as Qos),
        ),
      );
      await subscriber.leave();
    });

    it.each([1, 2] as const)('keeps QoS %i for a client that is away', async (qos) => {
      const [topic, clientId] = [fresh(), fresh()];
      await (await driver.subscribe(clientId, [topic], qos, false)).leave();
      for (const payload of upTo(3)) await send(said(topic, payload, qos));
      const back = await driver.subscribe(clientId, [topic], qos, false);
      expect(await heard(back, 3)).toEqual(upTo(3).map((payload) => said(topic, payload, qos)));
      await back.leave();
      // A clean session ends the kept one [MQTT-3.1.2-6].
      await send(said(topic, 'lost', qos));
      const clean = await driver.subscribe(clientId, [topic], qos, true);
      await send(said(topic, 'live', qos));
      expect(await heard(clean, 1)).toEqual([said(topic, 'live', qos)]);
      await clean.leave();
    });

    it('denies one filter of a SUBSCRIBE and grants the others', async () => {
      const topic = fresh();
      const subscriber = await driver.subscribe(fresh(), ['pantau/#', topic, '#'], 1, true);
      expect(subscriber.granted).toEqual([0x80, 1, 0x80]);
      await send(said(topic, 'granted'));
      expect(await heard(subscriber, 1)).toEqual([said(topic, 'granted')]);
      await subscriber.leave();
    });
  });
