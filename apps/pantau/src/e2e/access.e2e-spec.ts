import { describeWith, startProcess, waitUntil } from '#libs/testing';
import mqtt, { type MqttClient } from 'mqtt';
import { once, type EventEmitter } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { PantauFixture } from './pantau.fixture.js';

/** A device for each case. */
const SITES = [
  'sites:',
  '  - { id: betung, name: Betung, district: Betung }',
  'devices:',
  ...Array.from(
    { length: 8 },
    (_, i) => `  - { id: udara-0${i + 1}, site: betung, kind: air, name: Udara, interval: 1m }`,
  ),
].join('\n');

interface Command {
  readonly id: string;
  readonly state: string;
  readonly history: readonly { readonly state: string }[];
  readonly detail?: string;
}

const event = (client: MqttClient, name: string): Promise<unknown[]> =>
  once(client as unknown as EventEmitter, name);

// One Pantau for all cases but those that count what it has done since its start.
let pantau: PantauFixture;
beforeAll(async () => {
  pantau = await new PantauFixture().start('', `${SITES}\n`);
});
afterAll(async () => {
  await pantau[Symbol.asyncDispose]();
});

describe('commands', () => {
  it('reach a device, and their result comes back to the API', async () => {
    const client = await pantau.connect('udara-01');
    await client.subscribeAsync('pantau/v1/betung/udara-01/cmd/#', { qos: 1 });
    const arrived = event(client, 'message');
    const ordered = await pantau.send<Command>('POST', 'devices/udara-01/commands', {
      name: 'set-interval',
      params: { seconds: 30 },
      expiresIn: '2m',
    });
    expect(ordered.status).toBe(202);
    const [topic, payload] = (await arrived) as [string, Buffer];
    const command = JSON.parse(payload.toString()) as { id: string };
    expect(topic).toBe(`pantau/v1/betung/udara-01/cmd/${ordered.body.id}`);
    expect(command).toMatchObject({ id: ordered.body.id, name: 'set-interval', params: { seconds: 30 } });
    await client.publishAsync(
      'pantau/v1/betung/udara-01/result',
      JSON.stringify({ id: command.id, state: 'done', detail: '30 s' }),
      {
        qos: 1,
      },
    );
    const path = `devices/udara-01/commands/${command.id}`;
    const done = await waitUntil('the result is known', async () => {
      const { body } = await pantau.get<Command>(path);
      return body.state === 'done' ? body : undefined;
    });
    expect(done.detail).toBe('30 s');
    await waitUntil('its whole story is told', async () => {
      const { body } = await pantau.get<Command>(path);
      return body.history.length === 4 && body.state === 'done';
    });
    expect(await pantau.items('devices/udara-01/commands')).toHaveLength(1);
  });

  it('wait for their device over a restart of Pantau, and are not sent after they expired', async () => {
    const order = async (name: string, expiresIn: string): Promise<string> =>
      (await pantau.send<Command>('POST', 'devices/udara-02/commands', { name, expiresIn })).body.id;
    const late = await order('too-late', '1s');
    const patient = await order('patient', '1h');
    await waitUntil('one has expired', async () => {
      const { body } = await pantau.get<Command>(`devices/udara-02/commands/${late}`);
      return body.state === 'expired';
    });
    await pantau.restart();
    const client = await pantau.connect('udara-02');
    const names: string[] = [];
    client.on('message', (_topic, payload) =>
      names.push((JSON.parse(payload.toString()) as { name: string }).name),
    );
    await client.subscribeAsync('pantau/v1/betung/udara-02/cmd/#', { qos: 1 });
    await waitUntil('it is delivered', async () => {
      const { body } = await pantau.get<Command>(`devices/udara-02/commands/${patient}`);
      return body.state === 'delivered';
    });
    expect(names).toEqual(['patient']);
  });

  it('are refused for strangers, wrong bodies and tokens that only read', async () => {
    const { output } = await pantau.command('token', 'create', 'penilai');
    const reader = output.trim();
    const path = 'devices/udara-03/commands';
    expect((await pantau.send('POST', path, { name: 'reboot' }, null)).status).toBe(401);
    expect((await pantau.send('POST', path, { name: 'reboot' }, reader)).status).toBe(403);
    expect((await pantau.get(path, reader)).status).toBe(200);
    expect(await pantau.send('POST', path, { nama: 'reboot' })).toMatchObject({
      status: 400,
      body: { code: 'USAGE', detail: expect.stringContaining('name') },
    });
    expect(await pantau.send('POST', path, { name: 'reboot', expiresIn: '8d' })).toMatchObject({
      status: 400,
    });
    expect(await pantau.send('POST', 'devices/nobody/commands', { name: 'reboot' })).toMatchObject({
      status: 404,
      body: { code: 'DEVICE_UNKNOWN' },
    });
  });
});

describe('the configuration of a device', () => {
  it('is retained for it until it is taken away', async () => {
    const configuration = { interval: 30, fan: { on: true } };
    expect((await pantau.send('PUT', 'devices/udara-04/configuration', configuration)).status).toBe(202);
    await waitUntil(
      'it is shown',
      async () => (await pantau.get('devices/udara-04/configuration')).status === 200,
    );
    await pantau.restart();
    const client = await pantau.connect('udara-04');
    const arrived = event(client, 'message');
    await client.subscribeAsync('pantau/v1/betung/udara-04/config', { qos: 1 });
    const [, payload] = (await arrived) as [string, Buffer];
    expect(JSON.parse(payload.toString())).toEqual(configuration);
    const gone = event(client, 'message');
    expect((await pantau.send('DELETE', 'devices/udara-04/configuration', undefined)).status).toBe(202);
    expect(((await gone) as [string, Buffer])[1]).toHaveLength(0);
    await waitUntil(
      'it is gone',
      async () => (await pantau.get('devices/udara-04/configuration')).status === 404,
    );
  });
});

describe('access from the command line', () => {
  it('imports a list of devices whole or not at all, prints a sheet, and goes on when it is run again', async () => {
    const list = pantau.file('devices.csv');
    const credentials = pantau.file('passwords.json');
    const sheet = pantau.file('sheet.html');
    writeFileSync(
      list,
      'id;site;kind;interval\nudara-10;betung;air;30s\nUDARA 11;betung;air;1m\ncctv-10;betung;kamera;x\n',
    );
    const refused = await pantau.command('device', 'import', list, '--credentials', credentials);
    expect(refused.code).toBe(1);
    expect(refused.output).toMatch(/devices\.csv:3: id "UDARA 11": expected lower-case/);
    expect(refused.output).toMatch(/devices\.csv:4: kind "kamera"/);
    expect(refused.output).toMatch(/devices\.csv:4: interval "x": expected a duration/);
    expect((await pantau.engines.registry.device('udara-10')) ?? 'none').toBe('none');

    writeFileSync(list, 'id;site;name\nudara-10;betung;Udara <Betung>\nudara-11;betung;\n');
    const imported = await pantau.command(
      'device',
      'import',
      list,
      '--credentials',
      credentials,
      '--sheet',
      sheet,
    );
    expect(imported).toMatchObject({ code: 0, output: expect.stringContaining('2 perangkat baru') });
    const passwords = JSON.parse(readFileSync(credentials, 'utf8')) as Record<string, string>;
    const page = readFileSync(sheet, 'utf8');
    expect(page).toContain(passwords['udara-11']);
    expect(page).toContain('Udara &#60;Betung&#62;');
    const device = await mqtt.connectAsync(pantau.url, {
      clientId: 'udara-11',
      username: 'udara-11',
      password: passwords['udara-11']!,
    });
    await device.endAsync();

    writeFileSync(list, 'id,site\nudara-10,betung\nudara-11,betung\nudara-12,betung\n');
    const again = await pantau.command('device', 'import', list, '--credentials', credentials);
    expect(again.output).toContain('1 perangkat baru / new devices, 2 sudah terdaftar');
    expect(JSON.parse(readFileSync(credentials, 'utf8'))).toMatchObject(passwords);
  });

  it('disconnects a running device that is revoked or gets a new password, and takes a short-lived token', async () => {
    const connect = (password: string): Promise<MqttClient> =>
      mqtt.connectAsync(pantau.url, {
        clientId: 'udara-05',
        username: 'udara-05',
        password,
        reconnectPeriod: 0,
      });
    const rotated = async (): Promise<string> =>
      (await pantau.command('device', 'rotate', 'udara-05')).output.trim().split('\t')[1]!;
    const first = await connect(await rotated());
    const closed = event(first, 'close');
    const second = await rotated();
    await closed;
    const token = (await pantau.command('device', 'token', 'udara-05', '--for', '10m')).output.trim();
    const client = await connect(token);
    const expelled = event(client, 'close');
    expect((await pantau.command('device', 'revoke', 'udara-05')).code).toBe(0);
    await expelled;
    for (const password of [token, second]) await expect(connect(password)).rejects.toThrow();
    await waitUntil(
      'the refusals are listed',
      async () => (await pantau.items('rejected?reason=revoked')).length > 0,
    );
  });

  it('lets a device register itself with a key of its site, as often as the key says', async () => {
    const key = (await pantau.command('site', 'key', 'betung', '--uses', '1', '--for', '1h')).output.trim();
    const claim = (id: string, theKey = key): Promise<{ status: number; body: Record<string, string> }> =>
      pantau.send('POST', 'provisioning/claims', { key: theKey, id, kind: 'air' }, null);
    expect(await claim('udara-20', `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`)).toMatchObject({
      status: 403,
      body: { code: 'PROVISIONING_REFUSED' },
    });
    const { status, body } = await claim('udara-20');
    expect(status).toBe(201);
    const device = await mqtt.connectAsync(pantau.url, {
      clientId: body['clientId']!,
      username: body['username']!,
      password: body['password']!,
    });
    await device.endAsync();
    expect(await pantau.items('audit?by=udara-20')).toMatchObject([
      {
        ...{ by: { kind: 'device' }, action: 'POST /api/v1/provisioning/claims', result: 'done' },
        on: { device: 'udara-20', site: 'betung' },
      },
    ]);
    expect((await claim('udara-21')).status).toBe(403);
    const answers = await Promise.all(Array.from({ length: 30 }, () => claim('udara-22', 'prov_guess')));
    expect(new Set(answers.map(({ status: code }) => code))).toEqual(new Set([403, 429]));
  });

  it('makes service accounts with filters of their own', async () => {
    const made = await pantau.command('account', 'put', 'dasbor', '--subscribe', 'pantau/v1/+/+/telemetry');
    const password = made.output.trim().split('\t')[1]!;
    const reader = await mqtt.connectAsync(pantau.url, { clientId: 'dasbor', username: 'dasbor', password });
    expect((await reader.subscribeAsync('pantau/v1/+/+/telemetry', { qos: 1 }))[0]!.qos).toBe(1);
    const heard = event(reader, 'message');
    const device = await pantau.connect('udara-06');
    await device.publishAsync('pantau/v1/betung/udara-06/telemetry', 'anything', { qos: 1 });
    expect(((await heard) as [string])[0]).toBe('pantau/v1/betung/udara-06/telemetry');
    expect((await pantau.command('account', 'list')).output).toContain('dasbor');
    const closed = event(reader, 'close');
    expect((await pantau.command('account', 'remove', 'dasbor')).code).toBe(0);
    await closed;
    await reader.endAsync();
  });
});

describe('presence', () => {
  it('is unknown after a restart until the device is back, and a quick return is a flap', async () => {
    const presence = async (): Promise<{ presence?: { state: string }; flaps?: { count: number } }> =>
      (
        await pantau.items<{ id: string; presence?: { state: string }; flaps?: { count: number } }>('devices')
      ).find(({ id }) => id === 'udara-07')!;
    const state = (wanted: string): Promise<boolean> =>
      waitUntil(`the device is ${wanted}`, async () => (await presence()).presence?.state === wanted);
    let client = await pantau.connect('udara-07');
    await state('connected');
    client.stream.destroy();
    client.end(true);
    await state('reconnecting');
    client = await pantau.connect('udara-07');
    await state('connected');
    expect((await presence()).flaps).toMatchObject({ count: 1 });
    await pantau.restart();
    await state('unknown');
    await pantau.connect('udara-07');
    await state('connected');
    expect((await presence()).flaps).toMatchObject({ count: 1 });
  });
});

describe('metrics', () => {
  let counted: PantauFixture;
  beforeAll(async () => {
    counted = await new PantauFixture().start();
  });
  afterAll(async () => {
    await counted[Symbol.asyncDispose]();
  });

  it('are served for Prometheus', async () => {
    const client = await counted.connect('udara-01');
    await client.publishAsync('pantau/v1/betung/udara-01/telemetry', 'x', { qos: 1 });
    const text = await (await fetch(counted.metrics)).text();
    expect(text).toMatch(/^pantau_mqtt_connections 1$/m);
    expect(text).toMatch(/^pantau_mqtt_publishes_total\{qos="1"\} 1$/m);
    expect(text).toMatch(/^pantau_journal_append_seconds_count 1$/m);
  });

  it('tell of the stages and the store, each metric once, whoever asks at the same time', async () => {
    const client = await counted.connect('udara-01');
    const payload = JSON.stringify({ ts: new Date().toISOString(), values: { pm25: 12.5, pm10: 20 } });
    await client.publishAsync('pantau/v1/betung/udara-01/telemetry', payload, { qos: 1 });
    await counted.caughtUp();
    const scrape = async (): Promise<string> => (await fetch(counted.metrics)).text();
    const [text] = await Promise.all([scrape(), scrape(), scrape()]);
    expect(text).toMatch(/^pantau_stage_lag\{stage="writer",stream="readings"\} 0$/m);
    expect(text).toMatch(/^pantau_stage_lag\{stage="tiers",stream="rollups"\} 0$/m);
    expect(text).toMatch(/^pantau_store_write_seconds_count\{kind="readings"\} 1$/m);
    expect(text).toMatch(/^pantau_store_points_total\{kind="readings"\} 2$/m);
    expect(text).toMatch(/^pantau_store_refused_total\{kind="readings"\} 0$/m);
    const declared = Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name]) => name);
    expect(new Set(declared).size).toBe(declared.length);
  });
});

describeWith(['mosquitto_pub'], 'the refusal of MQTT 5', () => {
  it('is told to a client of another maker, and the log says what to do', async () => {
    const { port } = new URL(pantau.url);
    const args = ['-h', '127.0.0.1', '-p', port, '-V', '5', '-t', 'x', '-m', 'y', '-i', 'udara-01'];
    await using client = startProcess('mosquitto_pub', args);
    await waitUntil('it ends', () => client.process.exitCode !== null);
    expect(client.output()).toMatch(/protocol version/i);
    await waitUntil('the log tells', () => /protocol_version.*MQTT 3\.1\.1/.test(pantau.printed));
  });
});
