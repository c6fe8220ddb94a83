import { PYTHON, startProcess, waitUntil, type Service } from '#libs/testing';
import mqtt, { type IClientOptions } from 'mqtt';
import { once } from 'node:events';
import { event } from '../broker.fixture.js';
import { fixture, fresh, type Qos } from './standard.fixture.js';

/** A client of another maker, driven through what it prints. */
export interface Driver {
  /** Publishes one message and returns when its handshake is complete. */
  publish(message: Message): Promise<void>;
  /** Subscribes and returns when SUBACK is here. */
  subscribe(clientId: string, filters: readonly string[], qos: Qos, clean: boolean): Promise<Subscriber>;
}
export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
}
export const said = (topic: string, payload: string, qos: Qos = 1, retain = false): Message => ({
  topic,
  payload,
  qos,
  retain,
});
export interface Subscriber {
  readonly granted: readonly number[];
  messages(): readonly Message[];
  /** Ends with DISCONNECT. */
  leave(): Promise<void>;
}

const login = (): string[] => ['-h', '127.0.0.1', '-p', String(fixture.broker.port()), '-V', 'mqttv311'];
const password = (): string => fixture.passwords['narrow']!;
const flag = (name: string, isOn: boolean): string[] => (isOn ? [name] : []);

/** The command-line clients of Eclipse Mosquitto, in C. */
const mosquitto: Driver = {
  async publish({ topic, payload, qos, retain }) {
    const account = ['-u', 'narrow', '-P', password(), '-i', fresh()];
    const text = payload === '' ? ['-n'] : ['-m', payload];
    const args = [...login(), ...account, '-t', topic, '-q', String(qos), ...flag('-r', retain), ...text];
    await using client = startProcess('mosquitto_pub', args);
    await once(client.process, 'exit');
    expect(client.output()).toBe('');
  },
  async subscribe(clientId, filters, qos, clean) {
    const account = ['-u', 'narrow', '-P', password(), '-i', clientId, ...flag('-c', !clean)];
    const wanted = [
      ...filters.flatMap((filter) => ['-t', filter]),
      '-q',
      String(qos),
      '-d',
      '-F',
      'message %j',
    ];
    // Its own lines are buffered otherwise.
    const args = ['-oL', 'mosquitto_sub', ...login(), ...account, ...wanted];
    const client = startProcess('stdbuf', args);
    const [, granted = ''] = await waitUntil(
      'mosquitto_sub has its SUBACK',
      () => /^Subscribed \(mid: \d+\): ([\d, ]+)$/m.exec(client.output()) ?? undefined,
    );
    return {
      granted: granted.split(', ').map(Number),
      messages: () =>
        Array.from(client.output().matchAll(/^message (.*)$/gm), ([, line = '']) => {
          // Its JSON has null for an empty payload, and a number for the flag.
          type Printed = Pick<Message, 'topic' | 'qos'> & { payload: string | null; retain: number };
          const message = JSON.parse(line) as Printed;
          return said(message.topic, message.payload ?? '', message.qos, message.retain === 1);
        }),
      leave: () => client.stop('SIGINT'),
    };
  },
};

const PAHO = `
import json, signal, sys
import paho.mqtt.client as mqtt
a = json.loads(sys.argv[1])
version = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, 'CallbackAPIVersion') else []
client = mqtt.Client(*version, client_id=a['id'], clean_session=a['clean'], protocol=mqtt.MQTTv311)
client.username_pw_set('narrow', a['password'])
tell = lambda **what: print(json.dumps(what), flush=True)
def connected(client, data, flags, code):
    if 'message' in a:
        m = a['message']
        client.publish(m['topic'], m['payload'], m['qos'], m['retain'])
    else:
        client.subscribe([(f, a['qos']) for f in a['filters']])
client.on_connect = connected
client.on_publish = lambda client, data, mid: client.disconnect()
client.on_subscribe = lambda client, data, mid, granted: tell(granted=list(granted))
client.on_message = lambda client, data, m: tell(
    topic=m.topic, payload=m.payload.decode(), qos=m.qos, retain=bool(m.retain))
signal.signal(signal.SIGINT, lambda *_: client.disconnect())
client.connect('127.0.0.1', a['port'])
client.loop_forever()
`;

/** Eclipse Paho, in Python. */
const paho: Driver = {
  async publish(message) {
    await using client = startPaho({ id: fresh(), clean: true, message });
    await once(client.process, 'exit');
    expect(client.output()).toBe('');
  },
  async subscribe(id, filters, qos, clean) {
    const client = startPaho({ id, filters, qos, clean });
    type Line = Message & { readonly granted?: number[] };
    const lines = (): Line[] =>
      client
        .output()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line);
    const granted = await waitUntil(
      'paho has its SUBACK',
      () => lines().find((line) => line.granted)?.granted,
    );
    return {
      granted,
      messages: () => lines().filter((line) => line.granted === undefined),
      leave: () => client.stop('SIGINT'),
    };
  },
};
const startPaho = (options: object): ReturnType<typeof startProcess> =>
  startProcess(PYTHON, [
    '-c',
    PAHO,
    JSON.stringify({ port: fixture.broker.port(), password: password(), ...options }),
  ]);

/** MQTT.js, in JavaScript. */
const mqttJs: Driver = {
  async publish({ topic, payload, qos, retain }) {
    const client = await fixture.connect(fresh(), { username: 'narrow', password: password() });
    await client.publishAsync(topic, payload, { qos, retain });
    await client.endAsync();
  },
  async subscribe(clientId, filters, qos, clean) {
    const account = { clientId, clean, username: 'narrow', password: password(), reconnectPeriod: 0 };
    const options: IClientOptions = { host: '127.0.0.1', port: fixture.broker.port(), ...account };
    const client = mqtt.connect(options);
    const heard: Message[] = [];
    client.on('message', (topic, payload, packet) =>
      heard.push({ topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain }),
    );
    await event(client, 'connect');
    const granted = await new Promise<number[]>((resolve) => {
      // Its callback reports a code of failure as an error; the packet has them all.
      client.subscribe([...filters], { qos }, (_error, _granted, suback) =>
        resolve((suback?.granted ?? []) as number[]),
      );
    });
    return { granted, messages: () => heard, leave: () => client.endAsync() };
  },
};
/** Three makers. */
export const DRIVERS: readonly (readonly [string, Driver, readonly Service[]])[] = [
  ['mosquitto_pub and mosquitto_sub (C)', mosquitto, ['mosquitto_pub']],
  ['paho-mqtt (Python)', paho, ['paho-mqtt']],
  ['MQTT.js (JavaScript)', mqttJs, []],
];
