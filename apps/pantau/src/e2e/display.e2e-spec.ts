import { describeWith, waitUntil } from '#libs/testing';
import { HOUR } from '#libs/kernel';
import type { MqttClient } from 'mqtt';
import { PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung, latitude: -2.79, longitude: 104.23 }
  - { id: mariana, name: Mariana, latitude: -2.98, longitude: 104.9 }
devices:
  - { id: udara-01, site: betung, kind: air, name: '<img src=x onerror=alert(1)>', interval: 1m }
  - { id: cctv-02, site: betung, kind: camera, name: Kamera Betung, interval: 1m }
  - { id: udara-03, site: mariana, kind: air, name: Udara Mariana, interval: 1m }
`;
const NAME = 'ani';
const PASSWORD = 'tujuh kuda di rawa';
const PATIENCE = 40_000;

interface Shown {
  readonly at: string;
  readonly expiresAt?: string;
  readonly sites: readonly { readonly id: string }[];
  readonly devices: readonly { readonly id: string }[];
  readonly stations: readonly { readonly device: string }[];
  readonly alerts: readonly { readonly site: string }[];
}

describeWith(['chromium'], 'a screen on a wall', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;
  let air: MqttClient;

  const telemetry = async (pm25: number): Promise<unknown> =>
    air.publishAsync(
      'pantau/v1/betung/udara-01/telemetry',
      JSON.stringify({ ts: new Date().toISOString(), values: { pm25 } }),
      { qos: 1 },
    );
  const shownTo = async (token: string, path = 'display'): Promise<Response> =>
    fetch(`${pantau.api}/v1/${path}`, { headers: { authorization: `Bearer ${token}` } });

  beforeAll(async () => {
    pantau = await new PantauFixture().start('', SITES);
    air = await pantau.connect('udara-01');
    browser = await PageFixture.at(pantau);
    await browser.useFirstLink(pantau, PASSWORD, NAME);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
  });
  afterEach(() => {
    expect(browser.faults.splice(0)).toEqual([]);
  });

  it('is given what it shows, of the sites of its link alone, and nothing else', async () => {
    await telemetry(41.5);
    const { tokens } = pantau.engines;
    const token = await tokens.create('dinding', ['display']);
    let shown!: Shown;
    await waitUntil('it was heard', async () => {
      shown = (await (await shownTo(token)).json()) as Shown;
      return JSON.stringify(shown).includes('lastSeen');
    });
    expect(shown.sites.map(({ id }) => id)).toEqual(['betung', 'mariana']);
    expect(shown.devices.map(({ id }) => id)).toEqual(['cctv-02', 'udara-01', 'udara-03']);
    // What is added elsewhere is not seen by whoever passes by.
    expect([...new Set(shown.devices.flatMap((one) => Object.keys(one)))].sort()).toEqual(
      ['id', 'intervalMs', 'kind', 'lastSeen', 'name', 'presence', 'site'].sort(),
    );
    expect(JSON.stringify(shown)).not.toMatch(/pantau_|session|address|127\.0\.0\.1|password|41\.5/);
    for (const path of ['devices', 'sites', 'alerts', 'stations', 'readings', 'live', 'tokens', 'session'])
      expect([path, (await shownTo(token, path)).status]).toEqual([path, 403]);
    const made = await fetch(`${pantau.api}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'lebih', scopes: ['administer'] }),
    });
    expect(made.status).toBe(403);

    const limited = await tokens.create('mariana', ['display'], HOUR, undefined, ['mariana']);
    const part = (await (await shownTo(limited)).json()) as Shown;
    expect(part.sites.map(({ id }) => id)).toEqual(['mariana']);
    expect(part.devices.map(({ id }) => id)).toEqual(['udara-03']);
    expect(part.stations.map(({ device }) => device)).toEqual(['udara-03']);
    expect(Date.parse(part.expiresAt!) - Date.parse(part.at)).toBeLessThanOrEqual(HOUR);
    expect((await shownTo(limited, 'devices?site=mariana')).status).toBe(403);
    const nothing = await tokens.create('kosong', ['display'], HOUR, undefined, []);
    expect(await (await shownTo(nothing)).json()).toMatchObject({ sites: [], devices: [], alerts: [] });
  });

  it('shows the regency by a link that an administrator made, heals by itself, and is covered once the link is ended', async () => {
    const { page } = browser;
    await browser.go('/admin/tokens');
    await page.getByRole('button', { name: 'Tautan layar' }).click();
    const form = page.getByRole('dialog', { name: 'Tautan layar' });
    await form.getByLabel('Nama', { exact: true }).fill('ruang-rapat');
    await browser.picture('display-link-form-id-dark');
    await form.getByRole('button', { name: 'Buat', exact: true }).dblclick();
    const link = await form.getByLabel('Buka di peramban layar').inputValue();
    expect(link).toMatch(/\/layar\?bahasa=id&ganti=15#pantau_ruang-rapat_/);
    await browser.picture('display-link-id-dark');
    await form.getByRole('button', { name: 'Tutup' }).click();
    await page.getByRole('row', { name: /ruang-rapat.*display.*semua lokasi/ }).waitFor();

    // Another browser, in which nobody signed in.
    const wall = await browser.another();
    await wall.page.goto(link.replace('ganti=15', 'ganti=0'));
    await wall.page.getByRole('heading', { name: 'Udara dan kamera kabupaten' }).waitFor();
    await wall.page.getByText('Kamera Betung').waitFor();
    expect(await wall.page.locator('a, button, input, select').count()).toBe(0);
    expect(await wall.context.cookies()).toEqual([]);
    await wall.page.locator('header time').filter({ hasText: 'WIB' }).waitFor();
    // What makes the link valid is in no request line, where logs and proxies see it.
    const lines: string[] = [];
    wall.page.on('request', (request) => lines.push(request.url()));
    await wall.page.waitForResponse(/\/api\/v1\/display/);
    expect(lines.filter((line) => line.includes('/display')).length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes('pantau_'))).toEqual([]);

    await pantau.restart(async () => {
      await wall.page.getByText('Sambungan ke Pantau terputus.').waitFor({ timeout: PATIENCE });
      await wall.picture('display-lost-id-dark');
    });
    await wall.page
      .getByText('Sambungan ke Pantau terputus.')
      .waitFor({ state: 'hidden', timeout: PATIENCE });

    await page.reload();
    const row = page.getByRole('row', { name: /ruang-rapat/ });
    await row.getByRole('button', { name: 'Akhiri' }).click();
    await row.getByRole('button', { name: 'Ya' }).click();
    await wall.page.getByText('Tautan layar ini berakhir atau dicabut').waitFor({ timeout: PATIENCE });
    expect(await wall.page.getByText('Kamera Betung').count()).toBe(0);
    await wall.picture('display-ended-id-dark');
    await browser.go('/admin/audit');
    await page.getByText('POST /api/v1/tokens').first().waitFor();
    await page
      .getByText(/DELETE \/api\/v1\/tokens/)
      .first()
      .waitFor();
    expect(wall.faults).toEqual([]);
  });

  it('turns through its parts, and can be read by everybody, on a phone too', async () => {
    const token = await pantau.engines.tokens.create('rupa', ['display']);
    for (const [language, theme, name] of [
      ['id', 'gelap', 'id-dark'],
      ['en', 'terang', 'en-light'],
    ]) {
      await browser.go('/account');
      await browser.go(`/layar?bahasa=${language}&tema=${theme}&ganti=0#${token}`);
      await browser.page.getByText('Kamera Betung').waitFor();
      await browser.page.getByRole('group', { name: language === 'id' ? /Peta/ : /Map/ }).waitFor();
      expect(await browser.violations()).toEqual([]);
      await browser.page.setViewportSize({ width: 1920, height: 1080 });
      await browser.picture(`display-${name}`);
      await browser.page.setViewportSize({ width: 360, height: 740 });
      expect(await browser.overflow()).toBe(0);
      await browser.picture(`display-${name}-phone`);
      await browser.page.setViewportSize({ width: 1440, height: 900 });
    }
    await browser.go('/account');
    await browser.go(`/layar?ganti=5#${token}`);
    for (const part of ['bagian 1 dari 2', 'bagian 2 dari 2', 'bagian 1 dari 2'])
      await browser.page.getByText(part).waitFor({ timeout: PATIENCE });
    await browser.go('/account');
    await browser.go('/layar');
    await browser.page.getByText('tidak memuat tautan layar').waitFor();
  });
});
