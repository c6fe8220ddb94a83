import { HOUR, hourOf, MINUTE } from '#libs/kernel';
import type { MqttClient } from 'mqtt';
import { PantauFixture } from './pantau.fixture.js';

/** Three places within 10 km; two devices stand in one of them. */
const SITES = `
sites:
  - { id: betung, name: Betung, latitude: -2.85, longitude: 104.23 }
  - { id: sembawa, name: Sembawa, latitude: -2.9, longitude: 104.25 }
  - { id: suak-tapeh, name: Suak Tapeh, latitude: -2.83, longitude: 104.3 }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara 1, interval: 1m }
  - { id: udara-02, site: betung, kind: air, name: Udara 2, interval: 1m }
  - { id: udara-03, site: sembawa, kind: air, name: Udara 3, interval: 1m }
  - { id: udara-04, site: suak-tapeh, kind: air, name: Udara 4, interval: 1m }
`;
const SITE_OF = {
  'udara-01': 'betung',
  'udara-02': 'betung',
  'udara-03': 'sembawa',
  'udara-04': 'suak-tapeh',
} as const;
type Id = keyof typeof SITE_OF;
const IDS = Object.keys(SITE_OF) as readonly Id[];

const FIRST = hourOf(Date.now()) - 3 * HOUR;
const at = (ts: number): string => new Date(ts).toISOString();

type Publish = (device: Id, readings: readonly (readonly [ts: number, pm25: number])[]) => Promise<void>;

/** Connects all devices; what is returned publishes PM2.5 of one of them, in order. */
async function connectAll(pantau: PantauFixture): Promise<Publish> {
  const clients = new Map<Id, MqttClient>();
  for (const device of IDS) clients.set(device, await pantau.connect(device));
  return async (device, readings) => {
    const topic = `pantau/v1/${SITE_OF[device]}/${device}/telemetry`;
    for (const [ts, pm25] of readings)
      await clients.get(device)!.publishAsync(topic, JSON.stringify({ ts, values: { pm25 } }), { qos: 1 });
  };
}

describe('neighbours', () => {
  it('show which of four devices drifts, hour by hour, until a late reading puts it right; and exclude nothing', async () => {
    await using pantau = await new PantauFixture().start('', SITES);
    const publish = await connectAll(pantau);
    for (const [device, values] of [
      ['udara-01', [20, 24, 26]],
      ['udara-02', [22, 150, 260]],
      ['udara-03', [18, 30, 31]],
      ['udara-04', [25, 28, 27]],
    ] as const)
      await publish(
        device,
        values.map((value, hour) => [FIRST + hour * HOUR, value]),
      );
    await pantau.caughtUp();

    const span = `from=${at(FIRST)}&to=${at(FIRST + 3 * HOUR)}`;
    const opinions = async (device: Id): Promise<unknown[]> =>
      (await pantau.items<{ neighbours?: unknown }>(`rollups?device=${device}&parameter=pm25&${span}`)).map(
        ({ neighbours }) => neighbours,
      );
    // The last hour is not over.
    expect(await opinions('udara-02')).toEqual([
      { flag: 1, failed: [], count: 3, median: 20 },
      { flag: 3, failed: ['neighbour'], count: 3, median: 28 },
      undefined,
    ]);
    expect(await opinions('udara-01')).toEqual([
      { flag: 1, failed: [], count: 3, median: 22 },
      { flag: 1, failed: [], count: 3, median: 30 },
      undefined,
    ]);
    const found = {
      site: 'betung',
      device: 'udara-02',
      parameter: 'pm25',
      hour: at(FIRST + HOUR),
      mean: 150,
      unit: 'ug/m3',
      neighbours: { flag: 3, failed: ['neighbour'], count: 3, median: 28 },
    };
    expect(await pantau.items(`disagreements?${span}`)).toEqual([found]);
    expect(await pantau.items(`disagreements?${span}&parameter=pm25`)).toEqual([found]);
    expect(await pantau.items(`disagreements?${span}&parameter=no2`)).toEqual([]);
    expect(await pantau.items(`disagreements?from=${at(FIRST)}&to=${at(FIRST + HOUR)}`)).toEqual([]);
    expect(await pantau.items('readings?device=udara-02&order=asc')).toMatchObject([
      { flag: 1 },
      { flag: 1, value: 150 },
      { flag: 1 },
    ]);

    // The next hour begins, and the last one is over.
    for (const device of IDS) await publish(device, [[FIRST + 3 * HOUR, 30]]);
    await pantau.caughtUp();
    expect(await pantau.items(`disagreements?${span}`)).toMatchObject([{ mean: 260 }, { mean: 150 }]);
    expect(await pantau.items(`disagreements?${span}&limit=1`)).toMatchObject([{ mean: 260 }]);

    await publish(
      'udara-02',
      [40, 20, 10].map((value, i) => [FIRST + HOUR + (i + 11) * MINUTE, value]),
    );
    await pantau.caughtUp();
    expect((await opinions('udara-02'))[1]).toEqual({ flag: 1, failed: [], count: 3, median: 28 });
    expect(await pantau.items(`disagreements?${span}`)).toMatchObject([{ mean: 260 }]);
  });

  it('are described by the API, which asks for a span and a parameter that devices measure', async () => {
    await using pantau = await new PantauFixture().start();
    const description = (await (await fetch(`${pantau.api}/docs-json`)).json()) as {
      paths: Record<string, { get: { description: string; parameters: { name: string }[] } }>;
    };
    const { get } = description.paths['/api/v1/disagreements']!;
    const asked = get.parameters.map(({ name }) => name);
    expect(asked).toEqual(expect.arrayContaining(['from', 'limit', 'parameter', 'to']));
    expect(description.paths['/api/v1/rollups']!.get.description).toContain('`neighbours`');

    const span = `from=${at(FIRST)}&to=${at(FIRST + HOUR)}`;
    expect((await pantau.get(`disagreements?${span}`, null)).status).toBe(401);
    for (const [query, member] of [
      ['', 'from'],
      [`from=${at(FIRST)}`, 'to'],
      [`from=${at(FIRST)}&to=${at(FIRST)}`, 'to'],
      [`${span}&parameter=pm25_corrected`, 'parameter'],
      [`${span}&limit=1001`, 'limit'],
    ] as const)
      expect(await pantau.get(`disagreements?${query}`)).toMatchObject({
        status: 400,
        body: { detail: expect.stringContaining(member) },
      });
    expect(await pantau.items(`disagreements?${span}`)).toEqual([]);
    const metrics = await (await fetch(pantau.metrics)).text();
    expect(metrics).toMatch(/^pantau_stage_lag\{stage="evidence",stream="neighbourhoods"\} 0$/m);
  });
});
