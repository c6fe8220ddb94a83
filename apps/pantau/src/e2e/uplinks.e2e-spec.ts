import { writeFileSync } from 'node:fs';
import { PantauFixture } from './pantau.fixture.js';

const now = Date.now();

/** A device for each case. */
const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara 1, interval: 1m }
  - { id: udara-02, site: betung, kind: air, name: Udara 2, interval: 1m }
  - { id: udara-03, site: betung, kind: air, name: Udara 3, interval: 1m }
  - { id: udara-04, site: betung, kind: air, name: Udara 4, interval: 1m }
`;

/** What a device that posts does. */
async function post(
  pantau: PantauFixture,
  path: string,
  body: string | Buffer,
  { user = /^[\w-]+/.exec(path)![0], password = '', type = 'application/json', to = pantau.intake } = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${to}/v1/uplinks/${path}`, {
    method: 'POST',
    headers: {
      'content-type': type,
      ...(password === ''
        ? {}
        : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }),
    },
    body,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('uplinks over HTTP', () => {
  let pantau: PantauFixture;
  beforeAll(async () => {
    pantau = await new PantauFixture().start('', SITES);
  });
  afterAll(async () => {
    await pantau[Symbol.asyncDispose]();
  });

  it('take the same way as over MQTT: own payloads, and those of other makers', async () => {
    const password = await pantau.engines.credentials.issue('udara-01');
    // Not of PM2.5: that series would be of this sensor then, and the other one be refused.
    const own = JSON.stringify({ ts: now, values: { temperature: 20 } });
    expect(await post(pantau, 'udara-01', own, { password })).toMatchObject({ status: 202 });
    const airrohr = {
      esp8266id: '123',
      sensordatavalues: [
        { value_type: 'SDS_P1', value: '31.5' },
        { value_type: 'SDS_P2', value: '12.25' },
      ],
    };
    const path = 'udara-01?codec=sensor-community';
    // The port of the API hands on what devices send there.
    const to = pantau.api;
    expect((await post(pantau, path, JSON.stringify(airrohr), { password, to })).status).toBe(202);
    expect((await post(pantau, 'udara-01', 'pm25=7', { password, type: 'text/plain' })).status).toBe(202);
    await pantau.caughtUp();
    const readings = await pantau.items<{ parameter: string; value: number }>(
      'readings?device=udara-01&order=asc',
    );
    expect(readings.map(({ parameter, value }) => [parameter, value])).toEqual([
      ['temperature', 20],
      ['pm10', 31.5],
      ['pm25', 12.25],
    ]);
    expect(await pantau.items('rejected?reason=not_json')).toEqual([
      expect.objectContaining({ device: 'udara-01', payloadText: 'pm25=7' }),
    ]);
    const { body } = await pantau.get<{ items: unknown[] }>('devices/udara-01/clock');
    expect(body.items).toEqual([expect.objectContaining({ messages: 2, withoutTime: 1, wrong: 0 })]);
  });

  it('refuse strangers and floods at the door, and content never', async () => {
    // The flood is of an address, which all share.
    await using pantau = await new PantauFixture().start();
    const password = await pantau.engines.credentials.issue('udara-01');
    for (const [path, credentials, status] of [
      ['udara-01', {}, 401],
      ['udara-01', { password: 'wrong' }, 401],
      ['nobody', { user: 'nobody', password: 'x' }, 401],
      ['cctv-01', { user: 'udara-01', password }, 403],
      ['udara-01?codec=nonsense', { password }, 400],
    ] as const)
      expect([path, (await post(pantau, path, '{}', credentials)).status]).toEqual([path, status]);
    expect((await post(pantau, 'udara-01', Buffer.alloc(300_000), { password })).status).toBe(413);
    // Every answer is the same through the port of the API, but for the place and the time.
    for (const [path, credentials] of [
      ['udara-01', {}],
      ['cctv-01', { user: 'udara-01', password }],
      ['udara-01?codec=nonsense', { password }],
      ['udara-01?kind=nonsense', { password }],
      ['udara-01/batch', { password }],
    ] as const)
      expect(await post(pantau, path, 'x', { ...credentials, to: pantau.api })).toEqual(
        await post(pantau, path, 'x', credentials),
      );
    expect((await post(pantau, 'udara-01', Buffer.alloc(300_000), { password, to: pantau.api })).status).toBe(
      413,
    );
    const challenged = await fetch(`${pantau.api}/v1/uplinks/udara-01`, { method: 'POST', body: '{}' });
    expect(challenged.headers.get('www-authenticate')).toBe('Basic realm="Pantau"');
    const token = await pantau.engines.deviceTokens.issue('udara-01', 60_000);
    const bearer = await fetch(`${pantau.intake}/v1/uplinks/udara-01`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: '[]',
    });
    expect(bearer.status).toBe(202);
    const guesses = await Promise.all(
      Array.from({ length: 80 }, (_, i) => post(pantau, 'udara-01', '{}', { password: `guess-${i}` })),
    );
    expect(guesses.filter(({ status }) => status !== 401 && status !== 429)).toEqual([]);
    expect((await post(pantau, 'udara-01', '{}', { password: 'guess' })).status).toBe(429);
    expect((await post(pantau, 'udara-01', '{}', { password })).status).toBe(202);
  });

  it('take the file of an offline logger, with a report by line, and twice the same file once', async () => {
    const password = await pantau.engines.credentials.issue('udara-02');
    const local = (minutesAgo: number): string =>
      new Date(now - minutesAgo * 60_000 + 7 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
    const file = [
      'ts;pm25;humidity;radon',
      `${local(30)};12,5;80;`,
      `${local(20)};hujan;81;`,
      `${local(10)};13;82;4`,
      '1990-01-01 00:00:00;14;83;',
      'kemarin;15;84;',
    ].join('\n');
    const upload = (): ReturnType<typeof post> =>
      post(pantau, 'udara-02/batch?utcOffset=%2B07:00', file, { password, type: 'text/csv' });
    const { status, body } = await upload();
    expect(status).toBe(202);
    expect(body).toMatchObject({ lines: 5, accepted: 3, refused: 2, problemCount: 4 });
    expect(body['problems']).toEqual([
      expect.objectContaining({ line: 3, column: 'pm25', reason: 'schema_violation' }),
      expect.objectContaining({ line: 4, column: 'radon', reason: 'unknown_parameter' }),
      // The arrival may stand in for the time of a live device, never for that of a row.
      expect.objectContaining({ line: 5, column: 'ts', reason: 'timestamp_too_old' }),
      expect.objectContaining({ line: 6, column: 'ts', reason: 'schema_violation' }),
    ]);
    await pantau.caughtUp();
    expect(await pantau.items('readings?device=udara-02')).toHaveLength(5);
    expect(await pantau.items('rejected?reason=timestamp_too_old')).toEqual([
      expect.objectContaining({ device: 'udara-02', payloadText: expect.stringContaining('"pm25":14') }),
    ]);
    await upload();
    await pantau.caughtUp();
    expect(await pantau.items('readings?device=udara-02')).toHaveLength(5);

    const account = await pantau.command('reconcile', '--device', 'udara-02', '--token', pantau.token);
    expect(account.output).toMatch(/messages in the journal +10\n/);
    expect(account.output).toMatch(/became readings +6\n/);
    expect(account.output).toMatch(/ {2}ditolak \/ refused +4\n/);
    expect(account.output).toContain('It adds up.');
    expect(account.code).toBe(0);
  });

  it('judge a whole file before a line is taken, and show with a dry run what would be stored', async () => {
    const password = await pantau.engines.credentials.issue('udara-03');
    const second = Math.floor(now / 1000) - 3_600;
    const send = (file: string, query = ''): ReturnType<typeof post> =>
      post(pantau, `udara-03/batch?${query}`, file, { password, type: 'text/csv' });

    const epoch = `ts,temperature\n${second},20.5\n${second + 60},21.5\n`;
    const dry = await send(epoch, 'dryRun=true');
    expect(dry).toMatchObject({
      status: 200,
      body: { dryRun: true, accepted: 2, read: { time: 's', decimal: 'point' } },
    });
    expect(dry.body['wouldStore']).toEqual([
      { line: 2, ts: new Date(second * 1000).toISOString(), values: { temperature: 20.5 } },
      { line: 3, ts: new Date((second + 60) * 1000).toISOString(), values: { temperature: 21.5 } },
    ]);
    const unclear = await send(`${epoch}${second - 600},22.5\n`);
    expect(unclear).toMatchObject({ status: 400, body: { code: 'USAGE', lines: 3, accepted: 0 } });
    expect(unclear.body['problems']).toEqual([expect.objectContaining({ line: 4, column: 'ts' })]);
    await pantau.caughtUp();
    expect(await pantau.items('readings?device=udara-03')).toEqual([]);

    expect(await send(epoch)).toMatchObject({ status: 202, body: { accepted: 2, refused: 0 } });
    await pantau.caughtUp();
    const stored = await pantau.items<{ ts: string; flag: number }>('readings?device=udara-03&order=asc');
    expect(stored.map(({ ts }) => Date.parse(ts) / 1000)).toEqual([second, second + 60]);
  });

  it('are sent by the command "upload", which reports line by line', async () => {
    const credentials = pantau.file('credentials.json');
    const password = await pantau.engines.credentials.issue('udara-04');
    writeFileSync(credentials, JSON.stringify({ 'udara-04': password }));
    const file = pantau.file('logger.csv');
    const second = Math.floor(now / 1000) - 3_600;
    writeFileSync(file, `ts;co\n${second};987,5\n${second + 60};1.234\n`);
    const upload = (...more: string[]): ReturnType<typeof pantau.command> =>
      pantau.command('upload', file, '--device', 'udara-04', '--credentials', credentials, ...more);
    const dry = await upload('--dry-run');
    expect(dry.output).toMatch(/would be taken 1, ditolak \/ refused 1\n/);
    expect(dry.output).toContain('baris / line 3, co: ');
    expect(dry.output).toContain('Nothing was stored.');
    expect(dry.code).toBe(1);
    await pantau.caughtUp();
    expect(await pantau.items('readings?device=udara-04')).toEqual([]);
    expect((await upload()).output).toMatch(/diambil \/ taken 1, /);
    await pantau.caughtUp();
    expect(await pantau.items('readings?device=udara-04')).toEqual([
      expect.objectContaining({ value: 987.5 }),
    ]);
  });
});
