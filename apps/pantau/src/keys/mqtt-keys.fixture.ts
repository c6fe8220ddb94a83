import type { ShownBy } from './keys.fixture.js';

/** A key, the option of the broker or the bridge that it alone changes, and the case of that part's spec that shows the effect. */
export interface Arrival {
  readonly value: unknown;
  /** What the key needs beside it. */
  readonly beside?: object;
  readonly options: Readonly<Record<string, unknown>>;
  readonly shownBy: ShownBy;
}

const BROKER = 'apps/broker/src';
const inBroker = (spec: string, words: string): ShownBy => [`${BROKER}/${spec}`, words];
const atDoor = (words: string): ShownBy => inBroker('door/door-limits.spec.ts', words);
const ofClient = (words: string): ShownBy => inBroker('limits.spec.ts', words);
const inDelivery = (words: string): ShownBy => inBroker('delivery/bounds-delivery.spec.ts', words);
const listeners = (words: string): ShownBy => inBroker('door/listeners.spec.ts', words);
const bridging = (words: string): ShownBy => inBroker('bridge/bridge.spec.ts', words);

const certificate = { certificate: { key: '/key', cert: '/cert' } };
const tls = (member: string, value: unknown, words: string): Arrival => ({
  ...{ value, beside: { mqtt: certificate }, options: { [`broker.tls.${member}`]: value } },
  shownBy: listeners(words),
});
const bridge = (member: string, value: unknown, shownBy: ShownBy): Arrival => ({
  ...{ value, beside: { mqtt: { bridge: { url: 'mqtt://127.0.0.1' } } } },
  ...{ options: { [`bridge.${member}`]: value }, shownBy },
});
const LIMITS = 'mqtt.limits.';
/** A limit that the broker knows under the name that it has in the file, and the intake over HTTP perhaps under another. */
const limit = (name: string, shownBy: ShownBy, inIntake?: string): Record<string, Arrival> => ({
  [`${LIMITS}${name}`]: {
    ...{ value: 7, shownBy },
    options: {
      [`broker.limits.${name}`]: 7,
      ...(inIntake === undefined ? {} : { [`intake.${inIntake}`]: 7 }),
    },
  },
});
const time = (name: string, option: string, shownBy: ShownBy): Record<string, Arrival> => ({
  [`${LIMITS}${name}`]: { value: '7s', options: { [`broker.limits.${option}`]: 7_000 }, shownBy },
});
const rate = (name: string, shownBy: ShownBy, inIntake?: string): Record<string, Arrival> =>
  Object.assign(
    {},
    ...['perSecond', 'burst'].map((member) =>
      limit(`${name}.${member}`, shownBy, inIntake === undefined ? undefined : `${inIntake}.${member}`),
    ),
  ) as Record<string, Arrival>;
const QUOTA = inBroker('keys.spec.ts', 'holds a principal, or all of them');
/** By principal the attack shows it; the total is counted by the same part. */
const bound = (name: string, shownBy: ShownBy, each = 'perPrincipal'): Record<string, Arrival> => ({
  ...limit(`bounds.${name}.${each}`, shownBy),
  ...limit(`bounds.${name}.total`, QUOTA),
});

const queued: Record<string, Arrival> = Object.assign(
  {},
  ...['perClient', 'perPrincipal', 'total'].map((each) =>
    limit(`bounds.queuedBytes.${each}`, inBroker('keys.spec.ts', 'keeps for sessions that are away')),
  ),
);

/** Every key of the section `mqtt` but `flapGrace`, which is no option of what listens. */
export const MQTT: Readonly<Record<string, Arrival>> = {
  'mqtt.host': {
    ...{ value: '127.0.0.9', options: { 'broker.host': '127.0.0.9' } },
    shownBy: inBroker('keys.spec.ts', 'listens at its address alone'),
  },
  'mqtt.port': {
    ...{ value: false, options: { 'broker.ports.tcp': undefined } },
    shownBy: listeners('are off without a port'),
  },
  'mqtt.tls.port': {
    ...{ value: 8_000, options: { 'broker.ports.tls': 8_000 } },
    shownBy: listeners('are off without a port'),
  },
  'mqtt.ws.port': {
    ...{ value: 8_000, options: { 'broker.ports.ws': 8_000 } },
    shownBy: listeners('are off without a port'),
  },
  'mqtt.wss.port': {
    ...{ value: 8_000, options: { 'broker.ports.wss': 8_000 } },
    shownBy: listeners('are off without a port'),
  },
  'mqtt.webSocketPath': {
    ...{ value: '/other', options: { 'broker.webSocketPath': '/other' } },
    shownBy: inBroker('keys.spec.ts', 'takes WebSockets on its path alone'),
  },
  'mqtt.deny': {
    ...{ value: 'disconnect', options: { 'broker.deny': 'disconnect' } },
    shownBy: inBroker(
      'intake/foreign-topics.spec.ts',
      'costs the connection where the configuration says so',
    ),
  },
  'mqtt.certificate.key': tls('key', '/other', 'serve a renewed certificate'),
  'mqtt.certificate.cert': tls('cert', '/other', 'serve a renewed certificate'),
  'mqtt.certificate.clientCa': tls('clientCa', '/other', 'know a device by the certificate'),
  'mqtt.certificate.clientCrl': tls('clientCrl', '/other', 'refuse a certificate that was taken back'),
  'mqtt.certificate.clientCertificate': tls('clientCertificate', 'required', 'refuse certificates that are'),
  'mqtt.trustedProxies': {
    ...{ value: ['10.0.0.0/8'], options: { 'broker.trustedProxies': ['10.0.0.0/8'] } },
    shownBy: listeners('take the address of %s for refusals and limits'),
  },
  'mqtt.maxPayloadBytes': {
    value: 2_000,
    beside: { mqtt: { bridge: { url: 'mqtt://127.0.0.1' } } },
    options: {
      'broker.maxPayloadBytes': 2_000,
      'bridge.maxPayloadBytes': 2_000,
      'intake.maxPayloadBytes': 2_000,
    },
    shownBy: ofClient('of its payloads: a huge one'),
  },
  'mqtt.bridge.url': bridge('url', 'mqtt://10.0.0.1', bridging('takes the messages of MQTT 5 devices')),
  'mqtt.bridge.username': bridge('username', 'u', bridging('logs in with its user name and password')),
  'mqtt.bridge.password': bridge('password', 'p', bridging('logs in with its user name and password')),
  'mqtt.bridge.filter': bridge('filter', 'x/#', bridging('reads what its filter says, and what its group')),
  'mqtt.bridge.group': bridge('group', 'g', bridging('reads what its filter says, and what its group')),
  'mqtt.bridge.deviceProperty': bridge(
    'deviceProperty',
    'd',
    bridging('takes the identity from a user property'),
  ),
  'mqtt.bridge.clientId': bridge('clientId', 'c', bridging('keeps what arrives while a replica is away')),
  'mqtt.bridge.connections': bridge('connections', 3, bridging('makes as many connections')),
  ...limit('connections', atDoor('of connections in total')),
  ...limit('connectionsPerAddress', atDoor('of connections of an address')),
  ...limit('pending', inBroker('bounds.spec.ts', "boundary('Connections before CONNECT'")),
  ...limit('pendingPerAddress', atDoor('of connections of an address that say nothing yet')),
  ...rate('connectsPerAddress', atDoor('of the rate of connections of an address')),
  ...rate('authFailuresPerAddress', atDoor('of wrong passwords of an address'), 'authFailures'),
  ...rate('refusalEntries', inBroker('door/door.spec.ts', 'of a flood fill neither journal nor log')),
  ...time('connectTimeout', 'connectTimeoutMs', atDoor('is limited however slowly a client drips')),
  ...rate('messagesPerDevice', ofClient("['a device', 'messagesPerDevice'"), 'messagesPerDevice'),
  ...rate('messagesPerAccount', ofClient("['a service account', 'messagesPerAccount'")),
  ...limit('topicLevels', ofClient('of the levels of a topic')),
  ...limit('subscriptionsPerClient', ofClient('of its subscriptions, with clean session')),
  ...limit(
    'foreignTopicsPerClient',
    inBroker('intake/foreign-topics.spec.ts', 'limits: { foreignTopicsPerClient: 20 }'),
  ),
  ...limit('inflightMessagesPerClient', inBroker('keys.spec.ts', 'sends no more than may be unacknowledged')),
  ...time('stalledAfter', 'stalledAfterMs', ofClient('of what waits for it: a frozen subscriber goes')),
  ...limit('queuedBytesPerClient', inDelivery("boundary('Messages that wait for an online client'")),
  ...limit(
    'queuedMessagesPerClient',
    inBroker(
      'standard/delivery.spec.ts',
      'a kept session that is online in a burst beyond queuedMessagesPerClient',
    ),
  ),
  ...time('minKeepAlive', 'minKeepAliveMs', ofClient('of its silence: a keep-alive is moved')),
  ...time('maxKeepAlive', 'maxKeepAliveMs', ofClient('of its silence: one that asked never')),
  ...limit(
    'takeovers.count',
    inBroker('session/changed-access.spec.ts', 'are told apart from one: the newcomer is held'),
  ),
  ...time(
    'takeovers.within',
    'takeovers.withinMs',
    inBroker('keys.spec.ts', 'are not counted together over more'),
  ),
  ...time('takeovers.hold', 'takeovers.holdMs', inBroker('keys.spec.ts', 'are held for the time')),
  ...time(
    'sessionExpiry',
    'sessionExpiryMs',
    inBroker('keys.spec.ts', 'forgets a session that has been away for longer'),
  ),
  ...bound('sessions', inDelivery("boundary('Kept sessions'")),
  ...bound('subscriptionBytes', inDelivery("boundary('Subscription filters'")),
  ...queued,
  ...bound('waitingBytes', inBroker('keys.spec.ts', 'drops what waits for the clients of one principal')),
  ...bound('retainedMessages', inDelivery("boundary('Retained messages'")),
  ...bound('retainedBytes', inBroker('keys.spec.ts', 'retains no more bytes of one principal')),
  ...bound('inboundQos2', inDelivery("boundary('QoS 2 messages without PUBREL'")),
  ...bound('willBytes', inDelivery("boundary('Wills'")),
  ...bound('topicCacheBytes', inDelivery("boundary('What is known of topics'")),
  ...bound(
    'arrivingBytes',
    inBroker('bounds.spec.ts', "boundary('Clients that are not known yet'"),
    'perAddress',
  ),
  ...bound(
    'unfinishedBytes',
    inBroker('door/bounds-unfinished.spec.ts', "boundary('Packets that are not whole'"),
  ),
  ...bound('inProgressBytes', inDelivery('const inProgressBytes = ')),
};
