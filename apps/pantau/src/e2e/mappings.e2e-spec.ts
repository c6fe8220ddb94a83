import { describeWith, startProcess, waitUntil } from '#libs/testing';
import type { AuditEntry } from '#libs/streams';
import { once } from 'node:events';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara 1, interval: 1m }
  - { id: udara-02, site: betung, kind: air, name: Udara 2, interval: 1m }
  - { id: udara-03, site: betung, kind: air, name: Udara 3, interval: 1m }
`;
const FILE = `mappings:
  - { pattern: 'tele/{device}/SENSOR', codec: tasmota, aliases: { teras: udara-03 } }
`;
const TOPIC = 'pabrik/Gudang/data';
const BODY = { pattern: 'pabrik/{device}/data', codec: 'tasmota', aliases: { Gudang: 'udara-01' } };
const said = (pm25: number): string => JSON.stringify({ SDS0X1: { 'PM2.5': pm25 } });

interface Problem {
  readonly code: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

describeWith(['mosquitto_pub'], 'a topic that nobody reads', () => {
  let pantau: PantauFixture;
  beforeAll(async () => {
    pantau = await new PantauFixture().start(FILE, SITES);
  });
  afterAll(() => pantau[Symbol.asyncDispose]());

  async function publish(device: string, topic: string, message: string): Promise<void> {
    const password = await pantau.engines.credentials.issue(device);
    const { port } = new URL(pantau.url);
    const at = ['-h', '127.0.0.1', '-p', port, '-i', device, '-u', device, '-P', password];
    await using client = startProcess('mosquitto_pub', [...at, '-q', '1', '-t', topic, '-m', message]);
    if (client.process.exitCode === null) await once(client.process, 'exit');
    expect(client.process.exitCode).toBe(0);
    await pantau.caughtUp();
  }

  async function change<T = Problem>(
    method: 'PUT' | 'DELETE',
    id: string,
    body: object | undefined,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: T; etag: string }> {
    const response = await fetch(`${pantau.api}/v1/mappings/${id}`, {
      method,
      headers: {
        authorization: `Bearer ${pantau.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      body: (await response.json()) as T,
      etag: response.headers.get('etag') ?? '',
    };
  }

  const values = async (device: string): Promise<number[]> =>
    (await pantau.items<{ value: number }>(`readings?device=${device}`)).map(({ value }) => value).sort();

  interface Foreign {
    readonly topic: string;
    readonly count: number;
    readonly readBy?: string;
  }
  const foreign = async (topic: string): Promise<Foreign | undefined> =>
    (await pantau.items<Foreign>('foreign-topics')).find((one) => one.topic === topic);

  it('is read from the next message on once somebody maps it, also on a connection that is open', async () => {
    const open = await pantau.connect('udara-02');
    await publish('udara-01', TOPIC, said(11));
    await open.publishAsync('pabrik/udara-02/data', said(21), { qos: 1 });
    expect(await foreign(TOPIC)).toMatchObject({ count: 1 });
    expect((await foreign(TOPIC))?.readBy).toBeUndefined();

    const made = await change<object>('PUT', 'pabrik', BODY, { 'if-none-match': '*' });
    expect([made.status, made.body]).toEqual([
      200,
      { id: 'pabrik', ...BODY, aliases: { gudang: 'udara-01' } },
    ]);
    await publish('udara-01', TOPIC, said(12));
    await open.publishAsync('pabrik/udara-02/data', said(22), { qos: 1 });
    await pantau.caughtUp();
    // What was refused is not taken again.
    expect([await values('udara-01'), await values('udara-02')]).toEqual([[12], [22]]);
    expect(await foreign(TOPIC)).toMatchObject({ count: 1, readBy: BODY.pattern });
    expect(await pantau.items('mappings')).toEqual([
      { origin: 'file', pattern: 'tele/{device}/SENSOR', codec: 'tasmota', aliases: { teras: 'udara-03' } },
      { id: 'pabrik', origin: 'stored', ...BODY, aliases: { gudang: 'udara-01' } },
    ]);
  });

  it('is in a list that is read page by page', async () => {
    type Page = { items: object[]; truncated?: boolean; next?: string };
    const page = async (query: string): Promise<Page> => (await pantau.get<Page>(`mappings?${query}`)).body;
    const { items } = await page('limit=2');
    expect(items.length).toBe(2);
    const first = await page('limit=1');
    expect(first).toEqual({ items: [items[0]], truncated: true, next: expect.any(String) as string });
    expect(await page(`limit=1&after=${first.next}`)).toEqual({ items: [items[1]] });
    const { status } = await pantau.get<Problem>('mappings?after=x');
    expect(status).toBe(400);
  });

  it('stays mapped over a restart, and the audit log says who mapped it', async () => {
    await pantau.restart();
    await publish('udara-01', TOPIC, said(13));
    expect(await values('udara-01')).toEqual([12, 13]);
    const [entry] = (await pantau.items<AuditEntry>('audit')).filter(
      ({ action }) => action === 'PUT /api/v1/mappings/{mapping}',
    );
    expect(entry).toMatchObject({
      ...{ result: 'done', on: { mapping: 'pabrik' } },
      after: { pattern: BODY.pattern, codec: 'tasmota', aliases: { gudang: 'udara-01' } },
    });
  });

  it('is changed by one of two who saw the same', async () => {
    const { etag } = await change('PUT', 'pabrik', BODY);
    const more = { ...BODY, aliases: { ...BODY.aliases, teras: 'udara-03' } };
    expect((await change('PUT', 'pabrik', more, { 'if-match': etag })).status).toBe(200);
    const late = await change('PUT', 'pabrik', BODY, { 'if-match': etag });
    expect([late.status, late.body.code]).toEqual([412, 'CHANGED_MEANWHILE']);
    expect((await change('DELETE', 'pabrik', undefined, { 'if-match': etag })).status).toBe(412);
    expect((await change('PUT', 'pabrik', BODY, { 'if-none-match': '*' })).status).toBe(412);
  });

  it.each([
    ['codec', { codec: 'tasmotta' }],
    ['device', { device: 'udara-01' }],
    ['aliases', { aliases: { gudang: 'udara-99' } }],
    ['aliases', { aliases: { gudang: 'udara-01', beranda: 'udara-01' } }],
    ['pattern', { pattern: 'pantau/v1/{device}' }],
    ['pattern', { pattern: 'pabrik/{device}/data' }],
    // What the file says stays as the file says it.
    ['codec', { pattern: 'tele/{device}/SENSOR', codec: 'ruuvi' }],
    ['utcOffset', { pattern: 'tele/{device}/SENSOR', utcOffset: '+07:00' }],
    ['aliases', { pattern: 'tele/{device}/SENSOR', aliases: { teras: 'udara-01' } }],
    ['utcOffset', { utcOffset: '+25:00' }],
  ])('is told at %s what does not fit: %j', async (field, wrong) => {
    const { status, body } = await change('PUT', 'lain', { ...BODY, pattern: 'lain/{device}', ...wrong });
    expect([status, body.errors?.map((one) => one.field.split('.')[0])]).toEqual([400, [field]]);
  });

  it('is told, as everywhere, of a device that nobody registered', async () => {
    const wrong = { pattern: 'lain/data', codec: 'tasmota', device: 'udara-99' };
    const { status, body } = await change('PUT', 'lain', wrong);
    expect([status, body.code, body.errors?.[0]?.field]).toEqual([404, 'DEVICE_UNKNOWN', 'device']);
  });

  it('gets a name beside those that the file gives, under a pattern of the file', async () => {
    const client = await pantau.connect('udara-02');
    await client.publishAsync('tele/beranda/SENSOR', said(23), { qos: 1 });
    const body = { pattern: 'tele/{device}/SENSOR', codec: 'tasmota', aliases: { beranda: 'udara-02' } };
    expect((await change('PUT', 'tele', body)).status).toBe(200);
    await client.publishAsync('tele/beranda/SENSOR', said(24), { qos: 1 });
    await publish('udara-03', 'tele/teras/SENSOR', said(31));
    expect([await values('udara-02'), await values('udara-03')]).toEqual([[22, 24], [31]]);
  });

  it('of a device that another one publishes for is read once that one speaks for it, without anybody restarting it', async () => {
    const gateway = await pantau.connect('udara-01');
    const topic = 'pabrik/udara-03/data';
    await gateway.publishAsync(topic, said(32), { qos: 1 });
    const returned = new Promise((resolve) => gateway.once('connect', resolve));
    const change = { site: 'betung', kind: 'air', name: 'Udara 1', interval: '1m', speaksFor: ['udara-03'] };
    expect((await pantau.send('PUT', 'devices/udara-01', change)).status).toBe(200);
    await returned;
    await gateway.publishAsync(topic, said(33), { qos: 1 });
    await pantau.caughtUp();
    expect(await values('udara-03')).toEqual([31, 33]);
  });

  it('is set aside again when its mapping is removed, on connections that are open too', async () => {
    const client = await pantau.connect('udara-01');
    await client.publishAsync(TOPIC, said(14), { qos: 1 });
    await pantau.caughtUp();
    expect(await values('udara-01')).toEqual([12, 13, 14]);
    expect((await change('DELETE', 'pabrik', undefined)).body).toEqual({ ended: 'pabrik' });
    await waitUntil('the broker has heard of it', async () => {
      await client.publishAsync(TOPIC, said(15), { qos: 1 });
      return ((await foreign(TOPIC))?.count ?? 0) > 1;
    });
    await pantau.caughtUp();
    const before = await values('udara-01');
    await client.publishAsync(TOPIC, said(16), { qos: 1 });
    await pantau.caughtUp();
    expect(await values('udara-01')).toEqual(before);
    expect((await pantau.get('mappings/pabrik')).status).toBe(404);
  });
});
