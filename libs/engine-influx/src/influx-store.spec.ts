import { aPoint, aRollup, describeTimeSeriesStoreContract, observed } from '#contracts/timeseries';
import { DAY, HOUR } from '#libs/kernel';
import { PARAMETER_CODES } from '#libs/telemetry';
import { describeWith, startInfluxd, type InfluxFixture } from '#libs/testing';
import { KEEP_EVERYTHING } from '#libs/timeseries';
import type { InfluxStoreOptions } from './influx-options.js';
import { InfluxStore } from './influx-store.js';
import { ask, writeRequests } from './influx.fixture.js';

describeWith(['influxd'], 'InfluxStore on a real InfluxDB 1.x', () => {
  let influx: InfluxFixture;
  let databases = 0;
  beforeAll(async () => {
    influx = await startInfluxd();
  });
  afterAll(() => influx[Symbol.asyncDispose]());

  /** A store on an empty database of the running server. */
  async function openStore(options: Partial<InfluxStoreOptions> = {}): Promise<InfluxStore> {
    const store = new InfluxStore({
      url: influx.url,
      version: 1,
      database: `test "${databases++}"`,
      timeoutMs: 10_000,
      ...options,
    });
    await store.setUp();
    return store;
  }

  describeTimeSeriesStoreContract('InfluxDB 1.x', async () => {
    const store = await openStore();
    return { store, [Symbol.asyncDispose]: () => store.close() };
  });

  it('names the points that InfluxDB refuses in the middle of a big batch, in its own words, with few requests', async () => {
    const store = await openStore({ database: 'conflict' });
    // Somebody else made the field an integer in the shard of one week.
    const body = `reading,device=udara-01,parameter=pm25,site=betung pm25=1i ${aPoint().ts}`;
    await fetch(`${influx.url}/write?db=conflict&precision=ms`, { method: 'POST', body });
    const good = Array.from({ length: 9_000 }, (_, i) => aPoint({ ts: aPoint().ts + 14 * DAY + i }));
    const bad = Array.from({ length: 50 }, (_, i) => aPoint({ ts: aPoint().ts + 1 + i }));
    // As the shards of the journal bring them: scattered.
    const batch = good.flatMap((point, i) => (i % 90 === 0 && i < 4_500 ? [bad[i / 90]!, point] : [point]));
    const before = await writeRequests(influx.url);
    const { refused } = await store.write(observed(...batch));
    expect(refused.map(({ point }) => point)).toEqual(bad);
    expect(refused[0]!.message).toMatch(/field type conflict/);
    expect(await store.count({ span: { from: good[0]!.ts, to: good[0]!.ts + good.length } })).toBe(9_000);
    expect((await writeRequests(influx.url)) - before).toBeLessThan(40);
  });

  it('refuses of each message only the value whose field conflicts', async () => {
    const store = await openStore({ database: 'conflicts' });
    const body = `reading,device=udara-01,site=betung pm25=1i,humidity_flag=1i ${aPoint().ts}`;
    await fetch(`${influx.url}/write?db=conflicts&precision=ms`, { method: 'POST', body });
    const instants = Array.from({ length: 200 }, (_, i) =>
      (['pm25', 'pm10', 'humidity', 'co'] as const).map((parameter) =>
        aPoint({ parameter, ts: aPoint().ts + 1 + i }),
      ),
    );
    const later = Array.from({ length: 200 }, (_, i) => aPoint({ ts: aPoint().ts + 14 * DAY + i }));
    const before = await writeRequests(influx.url);
    const { refused } = await store.write(observed(...instants.flat(), ...later));
    const points = refused.map(({ point }) => point);
    expect(points).toHaveLength(400);
    expect(new Set(points)).toEqual(new Set(instants.flatMap(([pm25, , humidity]) => [pm25!, humidity!])));
    for (const { point, message } of refused)
      expect(message).toMatch(point.parameter === 'pm25' ? /conflict.*"pm25"/ : /conflict.*"humidity_flag"/);
    expect(await store.count({ parameter: 'pm10' })).toBe(200);
    expect(await store.count({ parameter: 'co' })).toBe(200);
    expect(await store.count({ span: { from: later[0]!.ts, to: later[0]!.ts + 200 } })).toBe(200);
    expect((await writeRequests(influx.url)) - before).toBeLessThan(40);
  });

  it('has one series for each device, whatever it measures, also of its hours and days', async () => {
    const store = await openStore({ database: 'one' });
    const parameters = PARAMETER_CODES.map((parameter) => ({ parameter }));
    await store.write(observed(...parameters.map(aPoint)));
    await store.writeRollups(parameters.flatMap((of) => [aRollup(of), aRollup({ ...of, tier: 'day' })]));
    expect((await ask(influx.url, 'SHOW SERIES ON one')).flat().sort()).toEqual([
      'reading,device=udara-01,site=betung',
      'rollup_day,device=udara-01,site=betung',
      'rollup_hour,device=udara-01,site=betung',
    ]);
  });

  it('writes no flag of what passed where none can stand, and a dashboard finds what passed', async () => {
    const store = await openStore({ database: 'passed' });
    const { ts } = aPoint();
    const counted = (where: string): Promise<unknown> =>
      ask(influx.url, `SELECT count("pm25"), count("pm25_flag") FROM passed.autogen.reading${where}`);
    // As a dashboard asks.
    const passed = ' WHERE ("pm25_flag" > 1) = false';
    const start = '1970-01-01T00:00:00Z';
    await store.write(observed(...[0, 1, 2].map((i) => aPoint({ ts: ts + i }))));
    expect([await counted(''), await counted(passed)]).toEqual([[[start, 3, null]], [[start, 3, null]]]);
    // One that is judged again, one that comes late, and in another shard one that did not pass and one that did.
    const later = ts + 14 * DAY;
    await store.write(
      observed(aPoint(), aPoint({ ts: ts - 1 }), aPoint({ ts: later, flag: 3 }), aPoint({ ts: later + 1 })),
    );
    expect([await counted(''), await counted(passed)]).toEqual([[[start, 6, 3]], [[start, 5, 2]]]);
  });

  it('says what to do when the database is not there', async () => {
    const store = new InfluxStore({ url: influx.url, version: 1, database: 'nowhere', timeoutMs: 5_000 });
    await expect(store.write(observed(aPoint()))).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      transient: true,
      detail: expect.stringContaining('database not found: nowhere'),
      remedy: expect.stringContaining('"nowhere" exists'),
    });
  });

  it('reads what was written with every flag, and judges it again', async () => {
    const store = await openStore({ database: 'flags' });
    const temperature = aPoint({ parameter: 'temperature', value: -2.5, flag: 4 });
    const { ts, receivedAt } = aPoint();
    const fields = `receivedAt=${receivedAt},pm25=12.5,pm25_flag=1,temperature=-2.5,temperature_flag=4`;
    const body = `reading,device=udara-01,site=betung ${fields} ${ts}`;
    await fetch(`${influx.url}/write?db=flags&precision=ms`, { method: 'POST', body });
    const all = { limit: 10, order: 'asc' } as const;
    expect(await store.query(all)).toEqual([aPoint(), temperature]);
    const judged = [
      { ...aPoint(), flag: 3 },
      { ...temperature, flag: 1 },
    ] as const;
    await store.write(observed(...judged.toReversed()));
    expect(await store.query(all)).toEqual(judged);
  });

  it('keeps the arrival of the message that was stored last for an instant', async () => {
    const store = await openStore();
    const pm25 = aPoint();
    const humidity = aPoint({ parameter: 'humidity', receivedAt: pm25.receivedAt + 5_000 });
    await store.write(observed(pm25));
    await store.write(observed(humidity));
    const { receivedAt } = humidity;
    expect(await store.query({ limit: 2, order: 'asc' })).toEqual([humidity, { ...pm25, receivedAt }]);
  });

  it('finds its readings among points of others in the same measurement', async () => {
    const store = await openStore({ database: 'shared' });
    // As Pantau once wrote them, and without any reading.
    const strangers = Array.from(
      { length: 10 },
      (_, i) => `reading,device=udara-01,parameter=pm25,site=betung value=1,flag=1,receivedAt=1 ${i}`,
    );
    const body = [...strangers, `reading,device=udara-01,site=betung receivedAt=1 11`].join('\n');
    await fetch(`${influx.url}/write?db=shared&precision=ms`, { method: 'POST', body });
    await store.write(observed(aPoint()));
    expect(await store.query({ limit: 1, order: 'asc' })).toEqual([aPoint()]);
    expect(await store.count({})).toBe(1);
  });

  it('says so when InfluxDB is away, keeps nothing back, and works again once it has returned', async () => {
    const store = await openStore();
    await store.write(observed(aPoint()));
    await influx.stop('SIGKILL');
    await expect(store.write(observed(aPoint({ ts: aPoint().ts + 1 })))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      transient: true,
    });
    await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await influx.start();
    await store.write(observed(aPoint({ ts: aPoint().ts + 1 })));
    expect(await store.count({})).toBe(2);
  });

  it('names what is beyond the retention in the middle of a big batch, and stores all else, with few requests', async () => {
    const store = await openStore({
      database: 'short',
      retention: { raw: DAY, hour: 2 * DAY, day: Infinity },
    });
    const now = Date.now();
    const old = Array.from({ length: 6_000 }, (_, i) => aPoint({ ts: now - 10 * DAY + i }));
    const recent = Array.from({ length: 1_000 }, (_, i) => aPoint({ ts: now - i }));
    const before = await writeRequests(influx.url);
    const { refused } = await store.write(observed(...recent.slice(0, 500), ...old, ...recent.slice(500)));
    expect(refused.map(({ point }) => point)).toEqual(old);
    expect(refused[0]!.message).toMatch(/beyond retention policy/);
    expect(await store.count({})).toBe(1_000);
    expect((await writeRequests(influx.url)) - before).toBeLessThan(40);
    const hour = Math.floor(now / HOUR) * HOUR;
    const rollups = (['hour', 'day'] as const).map((tier) => aRollup({ tier, from: hour - 10 * DAY }));
    expect(await store.writeRollups([...rollups, aRollup({ from: hour })])).toEqual({
      refused: [{ point: rollups[0], message: expect.stringContaining('beyond retention policy') }],
    });
    expect([await store.countRollups({ tier: 'hour' }), await store.countRollups({ tier: 'day' })]).toEqual([
      1, 1,
    ]);
  });

  it('sets the retention of every tier, and changes it with the configuration', async () => {
    const database = 'kept';
    const options = { url: influx.url, version: 1, database, timeoutMs: 10_000 } as const;
    const kept = async (): Promise<unknown> =>
      (await ask(influx.url, 'SHOW RETENTION POLICIES ON kept')).map((row) => row.slice(0, 3));
    const first = new InfluxStore(options);
    expect(await first.setUp()).toHaveLength(3);
    expect(await kept()).toEqual([
      ['autogen', '0s', '168h0m0s'],
      ['hour', '0s', '2184h0m0s'],
      ['day', '0s', '34944h0m0s'],
    ]);
    await first.write(observed(aPoint({ ts: Date.now() - HOUR })));
    expect(await first.setUp()).toEqual([]);
    const second = new InfluxStore({
      ...options,
      retention: { raw: 400 * DAY, hour: 2 * DAY, day: Infinity },
    });
    expect(await second.setUp()).toEqual([
      'the retention of "raw" in InfluxDB is forever; set, because store.retention.raw is 400d',
      'the retention of "hour" in InfluxDB is forever; set, because store.retention.hour is 2d',
    ]);
    expect(await kept()).toEqual([
      ['autogen', '9600h0m0s', '168h0m0s'],
      ['hour', '48h0m0s', '6h0m0s'],
      ['day', '0s', '34944h0m0s'],
    ]);
    expect(await second.setUp()).toEqual([]);
    expect(await first.setUp()).toHaveLength(2);
    expect(await first.count({})).toBe(1);
  });

  it('refuses a tag that the line protocol cannot hold, instead of storing it as another one', async () => {
    const store = await openStore();
    const bad = ['x\\', 'a\nb', ''].map((device) => aPoint({ device }));
    const { refused } = await store.write(observed(...bad, aPoint()));
    expect(refused.map(({ point }) => point)).toEqual(bad);
    expect(await store.query({ limit: 10, order: 'asc' })).toEqual([aPoint()]);
  });

  it('keeps both points of a device that measured the same instant under two sites', async () => {
    const store = await openStore();
    await store.write(observed(aPoint()));
    await store.write(observed(aPoint({ site: 'sembawa' })));
    expect(await store.count({})).toBe(2);
    expect(await store.count({ site: 'sembawa' })).toBe(1);
  });

  it('names the version of the server once it has answered', async () => {
    const store = new InfluxStore({ url: influx.url, version: 1, database: 'x', timeoutMs: 10_000 });
    expect(store.description).toContain('influxdb 1.x at http');
    await store.ping();
    expect(store.description).toMatch(/^influxdb 1\.\d+\.\d+.* at http/);
  });

  it('rejects a query that InfluxDB cannot read, instead of answering with nothing', async () => {
    const store = await openStore();
    await expect(store.count({ span: { from: NaN, to: 1 } })).rejects.toMatchObject({
      code: 'STORE_QUESTION',
      transient: false,
      remedy: expect.not.stringMatching(/password/),
    });
  });

  it('tells a question that exceeds the limits of the server from its absence, and keeps writing waiting for it', async () => {
    await using narrow = await startInfluxd({ coordinator: 'max-select-series = 1' });
    const options = { url: narrow.url, version: 1, database: 'narrow', timeoutMs: 10_000 } as const;
    const store = new InfluxStore(options);
    await store.setUp();
    await store.write(observed(aPoint(), aPoint({ device: 'udara-02' })));
    await expect(store.query({ limit: 10, order: 'asc' })).rejects.toMatchObject({
      code: 'STORE_QUESTION',
      transient: false,
      detail: expect.stringContaining('max-select-series limit exceeded'),
      remedy: expect.stringContaining('one device'),
    });
    expect(await store.query({ device: 'udara-02', limit: 10, order: 'asc' })).toHaveLength(1);
    await expect(new InfluxStore(options).write(observed(aPoint()))).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      transient: true,
      remedy: expect.stringContaining('[coordinator]'),
    });
  });

  it('tells a database that does not exist from a server that is away', async () => {
    const store = new InfluxStore({ url: influx.url, version: 1, database: 'missing', timeoutMs: 10_000 });
    await expect(store.write(observed(aPoint()))).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      transient: true,
    });
  });
});

describeWith(['influxd'], 'InfluxStore on a real InfluxDB 1.x with authentication', () => {
  const admin = { username: 'admin', password: 'a dmin:"1"' };
  const writer = { username: 'pantau', password: 'p4ssword' };

  it('works with rights on the database alone, and tells wrong credentials from a server that is away', async () => {
    await using influx = await startInfluxd({ auth: true });
    await ask(influx.url, `CREATE USER admin WITH PASSWORD 'a dmin:"1"' WITH ALL PRIVILEGES`);
    const options = { url: influx.url, version: 1, database: 'pantau', timeoutMs: 10_000 } as const;
    const store = new InfluxStore({ ...options, ...writer });
    await expect(store.setUp()).rejects.toMatchObject({ code: 'STORE_CONFIG', transient: true });
    await new InfluxStore({ ...options, ...admin }).setUp();
    await ask(influx.url, `CREATE USER pantau WITH PASSWORD 'p4ssword'`, admin);
    await ask(influx.url, 'GRANT ALL ON pantau TO pantau', admin);
    expect(await store.setUp()).toEqual([]);
    await store.write(observed(aPoint()));
    expect(await store.query({ limit: 1, order: 'asc' })).toEqual([aPoint()]);
    const shorter = new InfluxStore({
      ...options,
      ...writer,
      retention: { ...KEEP_EVERYTHING, raw: 400 * DAY },
    });
    await expect(shorter.setUp()).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      transient: true,
      detail: expect.stringMatching(
        /the retention of "raw" in InfluxDB is forever, store\.retention\.raw is 400d, and it may not be changed: .*requires admin privilege/,
      ),
      remedy: expect.stringContaining('ALTER RETENTION POLICY "autogen" ON "pantau" DURATION 34560000s'),
    });
    // Readings do not wait for that.
    expect(await shorter.write(observed(aPoint({ value: 1 })))).toEqual({ refused: [] });
    for (const wrong of [{ ...writer, password: 'other' }, {}]) {
      const stranger = new InfluxStore({ ...options, ...wrong });
      await expect(stranger.write(observed(aPoint()))).rejects.toMatchObject({ code: 'STORE_CONFIG' });
      await expect(stranger.count({})).rejects.toMatchObject({ code: 'STORE_CONFIG' });
    }
  });
});
