import { stationsSchema } from '#apps/gateway';
import { HOUR, hourOf } from '#libs/kernel';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung }
  - { id: sembawa, name: Sembawa }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara 1, interval: 1h }
  - { id: udara-02, site: sembawa, kind: air, name: Udara 2, interval: 1h }
  - { id: udara-03, site: betung, kind: air, name: Udara 3, interval: 1h }
  - { id: cctv-01, site: betung, kind: camera, name: Kamera 1, interval: 1m }
`;

describe('the current index', () => {
  it('is there for a station with hours enough, and says of the others why it is not', async () => {
    await using pantau = await new PantauFixture().start('', SITES);
    const now = hourOf(Date.now());
    const publish = async (site: string, device: string, hours: number): Promise<void> => {
      const client = await pantau.connect(device);
      // The reading of the hour that is not over ends the one before.
      for (let age = hours; age >= 0; age--)
        await client.publishAsync(
          `pantau/v1/${site}/${device}/telemetry`,
          JSON.stringify({
            ts: new Date(now - age * HOUR).toISOString(),
            // In smoke: mean of 24 hours 60 and 100 µg/m³.
            values: { pm25: 60 + (age % 2 === 0 ? 4 : -4), pm10: 100 + (age % 2 === 0 ? 6 : -6) },
          }),
          { qos: 1 },
        );
    };
    await publish('betung', 'udara-01', 24);
    await publish('sembawa', 'udara-02', 3);
    await pantau.caughtUp();

    const found = await pantau.get('stations');
    expect(found.status).toBe(200);
    const { items } = stationsSchema.parse(found.body);
    expect(items.map(({ device, status }) => [device, status])).toEqual([
      ['udara-01', 'ok'],
      ['udara-02', 'not_enough_data'],
      ['udara-03', 'silent'],
    ]);
    expect(items[0]).toMatchObject({
      site: 'betung',
      at: new Date(now).toISOString(),
      newestHourEnd: new Date(now).toISOString(),
      // 100 + 100 · (60 − 55.4) / (150.4 − 55.4)
      ispu: { index: 105, category: { code: 'TIDAK_SEHAT' }, critical: 'pm25', beyondScale: false },
      parameters: [
        { parameter: 'pm10', mean: 100, subIndex: 75, validHours: 24, requiredHours: 18 },
        { parameter: 'pm25', mean: 60, subIndex: 105, validHours: 24, requiredHours: 18 },
      ],
      nowCast: { pm25: expect.closeTo(60, -1) as number },
    });
    expect(items[1]).toMatchObject({
      parameters: [
        { parameter: 'pm10', mean: null, validHours: 3 },
        { parameter: 'pm25', mean: null, validHours: 3 },
      ],
    });
    expect(items[1]).not.toHaveProperty('ispu');

    expect(await pantau.get('stations/udara-01')).toMatchObject({ status: 200, body: items[0] as object });
    expect(await pantau.items('stations?site=sembawa')).toEqual([items[1]]);
    expect(await pantau.get('stations/cctv-01')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await pantau.get('stations/udara-1')).toMatchObject({
      status: 404,
      body: { code: 'DEVICE_UNKNOWN' },
    });
  });
});
