import { describeWith, waitUntil } from '#libs/testing';
import type { MqttClient } from 'mqtt';
import { PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung, latitude: -2.79, longitude: 104.23 }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara Diam, interval: 1s }
  - { id: udara-02, site: betung, kind: air, name: Udara Putus, interval: 1s }
  - { id: udara-03, site: betung, kind: air, name: Udara Pulang, interval: 1s }
  - { id: udara-04, site: betung, kind: air, name: Udara Servis, interval: 1s }
`;
const PASSWORD = 'tujuh kuda di rawa';
/** Longer than a line crosses. */
const LONG = 6_000;

interface TimelineItem {
  readonly from: string;
  readonly to: string;
  readonly cause: string;
  readonly connection?: string;
}

describeWith(['chromium'], 'a gap', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;
  let begun: number;

  beforeAll(async () => {
    pantau = await new PantauFixture().start('livenessBeat: 1s\n', SITES);
    browser = await PageFixture.at(pantau);
    await browser.useFirstLink(pantau, PASSWORD);
    begun = Date.now();
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
  });
  afterEach(() => {
    expect(browser.faults.splice(0)).toEqual([]);
  });

  const measure = (client: MqttClient, device: string) =>
    client.publishAsync(
      `pantau/v1/betung/${device}/telemetry`,
      JSON.stringify({ ts: new Date().toISOString(), values: { pm25: 20 } }),
      { qos: 1 },
    );
  const timeline = (device: string) => {
    const span = `from=${new Date(begun).toISOString()}&to=${new Date(Date.now() + 60_000).toISOString()}`;
    return pantau.items<TimelineItem>(`devices/${device}/timeline?${span}`);
  };
  const msOf = async (device: string, cause: string, connection?: string): Promise<number> =>
    (await timeline(device))
      .filter((one) => one.cause === cause && one.connection === connection)
      .reduce((sum, { from, to }) => sum + Date.parse(to) - Date.parse(from), 0);
  const lasts = (device: string, connection: string) =>
    waitUntil(`${device} is ${connection}`, async () => (await msOf(device, 'silent', connection)) > LONG);

  /** Without another try. */
  async function cut(client: MqttClient): Promise<void> {
    client.options.reconnectPeriod = 0;
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.stream.destroy();
    await closed;
  }

  const serve = async (device: string, service: 'open' | 'revoked'): Promise<void> =>
    expect(await pantau.send('PUT', `devices/${device}/access`, { service })).toMatchObject({ status: 200 });

  it('is one of the device, of its network, of its own will, of maintenance, or of Pantau', async () => {
    let silent = await pantau.connect('udara-01');
    await measure(silent, 'udara-01');
    const broken = await pantau.connect('udara-02');
    await measure(broken, 'udara-02');
    await cut(broken);
    const gone = await pantau.connect('udara-03');
    await measure(gone, 'udara-03');
    await gone.endAsync();
    const serviced = await pantau.connect('udara-04');
    await measure(serviced, 'udara-04');
    serviced.options.reconnectPeriod = 0;
    await serve('udara-04', 'revoked');
    await Promise.all([
      ...[lasts('udara-01', 'connected'), lasts('udara-02', 'lost'), lasts('udara-03', 'left')],
      waitUntil('udara-04 is out of service', async () => (await msOf('udara-04', 'planned')) > LONG),
    ]);
    await serve('udara-04', 'open');
    await measure(silent, 'udara-01');
    for (const device of ['udara-02', 'udara-03', 'udara-04'])
      await measure(await pantau.connect(device), device);
    await pantau.restart();
    silent = await pantau.connect('udara-01');
    await measure(silent, 'udara-01');
    await waitUntil('Pantau knows that it was away', async () => (await msOf('udara-01', 'unobserved')) > 0);
    expect(await msOf('udara-01', 'silent', 'lost')).toBe(0);
    expect(await msOf('udara-03', 'silent', 'lost')).toBe(0);
    expect(await msOf('udara-04', 'planned')).toBeGreaterThan(LONG);
    await pantau.caughtUp();
  });

  it('says so on the chart, in words too', async () => {
    const { page } = browser;
    const query = `dari=${new Date(begun).toISOString()}&sampai=${new Date(Date.now() + 1_000).toISOString()}`;
    for (const [device, name, reasons] of [
      ['udara-01', 'Udara Diam', ['Perangkat tersambung, tetapi diam', 'Pantau tidak mendengarkan']],
      ['udara-02', 'Udara Putus', ['Jaringan: sambungan perangkat putus']],
      ['udara-03', 'Udara Pulang', ['Perangkat memutus sambungannya sendiri']],
      ['udara-04', 'Udara Servis', ['Pemeliharaan']],
    ] as const) {
      await browser.go(`/perangkat/${device}?${query}`);
      await page.getByRole('heading', { name }).waitFor();
      const gaps = page.locator('details', { hasText: 'Waktu tanpa nilai dan sebabnya' });
      await gaps.getByText(/^Waktu tanpa nilai dan sebabnya/).click();
      for (const reason of reasons) await gaps.getByText(reason).first().waitFor();
      await browser.picture(`gaps-${device}`);
    }
  });
});
