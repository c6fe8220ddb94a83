import type { IPublishPacket } from 'mqtt-packet';
import { openBroker, type BrokerFixture, type ConnectOptions, type RawClient } from '../broker.fixture.js';

export type Qos = 0 | 1 | 2;

export interface Flags {
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly dup?: boolean;
}

/** The broker of the tests of a file; {@link useBroker} opens it. */
export let fixture: BrokerFixture;
let names = 0;
/** A name for clients and topics that no other test has. */
export const fresh = (): string => `std/${++names}`;

/** A connection of the service account, packet by packet. */
export async function open(clientId: string, options: ConnectOptions = {}, at = fixture): Promise<RawClient> {
  const raw = await at.raw();
  await raw.connect(clientId, at.passwords['suite']!, { username: 'suite', ...options });
  return raw;
}

/** Connects to a kept session. @returns whether the broker says that it is there */
export async function resume(
  clientId: string,
  at = fixture,
): Promise<RawClient & { sessionPresent: boolean }> {
  const raw = await at.raw();
  const options = { username: 'suite', clean: false };
  const { sessionPresent } = await raw.connect(clientId, at.passwords['suite']!, options);
  return Object.assign(raw, { sessionPresent });
}

/** The newest identifier that was given to a packet. */
export let messageId = 0;
export const nextId = (): number => (messageId = (messageId % 65_535) + 1);

export async function subscribe(
  raw: RawClient,
  ...filters: readonly (readonly [string, Qos])[]
): Promise<unknown> {
  const subscriptions = filters.map(([topic, qos]) => ({ topic, qos }));
  raw.send({ cmd: 'subscribe', messageId: nextId(), subscriptions });
  return (await raw.next('suback')).granted;
}

/** Sends a PUBLISH and waits for nothing. */
export function say(raw: RawClient, topic: string, payload: string | number, flags: Flags = {}): void {
  const { qos = 1, retain = false, dup = false } = flags;
  const identified = qos === 0 ? {} : { messageId: nextId() };
  raw.send({ cmd: 'publish', topic, payload: String(payload), qos, retain, dup, ...identified });
}

/**
 * Publishes, completes the handshake, and waits until the message was routed: a PUBACK tells that it is safe, not that
 * everybody has it.
 */
export async function publish(topic: string, payload: string, flags: Flags = {}): Promise<void> {
  const isRouted = await routed(topic, payload);
  const raw = await open(fresh());
  say(raw, topic, payload, flags);
  if (flags.qos === 2) {
    await raw.next('pubrec');
    raw.send({ cmd: 'pubrel', messageId });
    await raw.next('pubcomp');
  } else if (flags.qos !== 0) await raw.next('puback');
  await leave(raw);
  await isRouted();
}

/** @returns waits until somebody who subscribed has received the message, however it is published meanwhile */
export async function routed(topic: string, payload: string): Promise<() => Promise<void>> {
  const witness = await open(fresh());
  await subscribe(witness, [topic, 0]);
  return async () => {
    let heard: IPublishPacket;
    do heard = await witness.next('publish');
    while (heard.retain || heard.payload.toString() !== payload);
    await leave(witness);
  };
}

export async function acknowledge(raw: RawClient, { qos, messageId: id }: IPublishPacket): Promise<void> {
  if (qos === 1) raw.send({ cmd: 'puback', messageId: id! });
  if (qos !== 2) return;
  raw.send({ cmd: 'pubrec', messageId: id! });
  expect(await raw.next('pubrel')).toMatchObject({ messageId: id });
  raw.send({ cmd: 'pubcomp', messageId: id! });
}

/** The next messages, each acknowledged. */
export async function hear(raw: RawClient, count = 1): Promise<IPublishPacket[]> {
  const heard: IPublishPacket[] = [];
  while (heard.length < count) {
    const packet = await raw.next('publish');
    await acknowledge(raw, packet);
    heard.push(packet);
  }
  return heard;
}

export const shown = ({ payload, qos, retain, dup }: IPublishPacket): [string, Required<Flags>] => [
  payload.toString(),
  { qos, retain, dup },
];
export const textsOf = (packets: readonly IPublishPacket[]): string[] =>
  packets.map(({ payload }) => payload.toString());
export const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

export async function leave(raw: RawClient): Promise<void> {
  raw.send({ cmd: 'disconnect' });
  await raw.closed;
}

/** Nothing more was on its way: what is said now is what comes next. */
export async function expectNothingElse(raw: RawClient, topic: string): Promise<void> {
  await publish(topic, 'end', { qos: 1 });
  expect(textsOf(await hear(raw))).toEqual(['end']);
}
/** Opens a broker for the tests of this file, with an account that may do everything below `std/` and one that may not. */
export function useBroker(): void {
  beforeAll(async () => {
    fixture = await openBroker();
    await fixture.account('suite', ['std/#', '/std/#'], ['std/#', '/std/#', '+/+/+/#', '$SYS/#', '#']);
    await fixture.account('narrow', ['std/#'], ['std/#']);
  });
  afterAll(() => fixture[Symbol.asyncDispose]());
}
