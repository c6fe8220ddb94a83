import { describeWith, waitUntil } from '#libs/testing';
import type { MqttClient } from 'mqtt';
import type { Page } from 'playwright-core';
import { PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';
import { startProxy, type Proxy } from './proxy.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, latitude: -2.79, longitude: 104.23 }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara Betung, interval: 2s }
`;
/** Where nothing listens. */
const NOWHERE = 'http://127.0.0.1:1';
const PATIENCE = 60_000;
const ALL_WELL = 'Tidak ada peringatan, dan semua perangkat melapor.';
const LOST = 'Sambungan ke Pantau terputus.';

/** Writes down, on the page itself, every state of a device that it ever showed. */
const WATCH = `
  window.statesShown = new Set();
  const look = () => { for (const one of document.querySelectorAll('[data-state]')) statesShown.add(one.dataset.state); };
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
`;
const statesOf = async (page: Page): Promise<string[]> => page.evaluate<string[]>('[...statesShown].sort()');

describeWith(['chromium'], 'a page that hears nothing', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;
  let proxy: Proxy;
  let air: MqttClient;
  let value = 41.5;
  let publishing: ReturnType<typeof setInterval> | undefined;

  beforeAll(async () => {
    pantau = await new PantauFixture().start('', SITES);
    proxy = await startProxy('', true);
    proxy.target = new URL(pantau.api).origin;
    const direct = await PageFixture.at(pantau);
    await direct.useFirstLink(pantau, 'tujuh kuda di rawa');
    await direct[Symbol.asyncDispose]();
    browser = await new PageFixture(proxy.origin).start();
    await browser.go('/');
    await browser.signIn('ani', 'tujuh kuda di rawa');
    await browser.page.getByRole('heading', { name: 'Ikhtisar' }).waitFor();
    air = await pantau.connect('udara-01');
    publish();
  });
  afterAll(async () => {
    clearInterval(publishing);
    await browser[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
  });

  /** The device works all the time. */
  function publish(): void {
    publishing = setInterval(() => {
      const payload = JSON.stringify({ ts: new Date().toISOString(), values: { pm25: value } });
      void air.publishAsync('pantau/v1/betung/udara-01/telemetry', payload, { qos: 1 });
    }, 500);
  }

  it('keeps what it knew, says that it is old, and concludes nothing before it has read again', async () => {
    const token = await pantau.engines.tokens.create('dinding', ['display']);
    const places = ['/', '/perangkat/udara-01', `/layar?ganti=0#${token}`];
    const pages = await Promise.all(
      places.map(async (place) => {
        const page = await browser.open();
        await page.goto(`${proxy.origin}${place}`);
        await page.locator('[data-state=online]').or(page.getByText(ALL_WELL)).first().waitFor();
        await waitUntil(
          'it is said to work',
          async () => (await page.locator('[data-state=silent]').count()) === 0,
        );
        await page.evaluate(WATCH);
        return page;
      }),
    );
    const before = await Promise.all(pages.map(statesOf));
    expect(before.flat()).not.toContain('silent');

    const lostAt = Date.now();
    proxy.target = NOWHERE;
    proxy.cut();
    for (const page of pages) await page.getByText(LOST).waitFor({ timeout: PATIENCE });
    // Of a device that sends every two seconds nothing for seven of its intervals.
    await waitUntil('long ago', () => Date.now() - lostAt > 14_000, PATIENCE);
    expect(await pages[0]!.locator('.is-stale').count()).toBeGreaterThan(0);
    expect(await Promise.all(pages.map(statesOf))).toEqual(before);

    proxy.target = new URL(pantau.api).origin;
    for (const page of pages) await page.getByText(LOST).waitFor({ state: 'hidden', timeout: PATIENCE });
    value = 42.5;
    const news = pages[0]!.getByRole('region', { name: 'Baru saja masuk' });
    await news.getByText('42,5').first().waitFor({ timeout: PATIENCE });
    for (const page of pages)
      await page.locator('.is-stale').first().waitFor({ state: 'hidden', timeout: PATIENCE });
    expect(await Promise.all(pages.map(statesOf))).toEqual(before);
    for (const page of pages) await page.close();
  });

  it('goes by the time of Pantau where the clock of the browser is wrong', async () => {
    const page = await browser.open();
    await page.addInitScript(`{ const now = Date.now; Date.now = () => now() + 3_600_000; }`);
    await page.goto(`${proxy.origin}/`);
    await page.locator('.sites [data-state=online]').waitFor();
    await page.evaluate(WATCH);
    await page
      .getByRole('region', { name: 'Lokasi' })
      .getByText(/detik yang lalu|sekarang/)
      .first()
      .waitFor();
    expect(await statesOf(page)).toEqual(['online']);
    await page.close();
  });

  it('says that a device is silent as soon as it hears of everything but of that one', async () => {
    const { page } = browser;
    await browser.go('/');
    await page.locator('.sites [data-state=online]').waitFor();
    clearInterval(publishing);
    await page.locator('.sites [data-state=silent]').waitFor({ timeout: PATIENCE });
    publish();
    await page.locator('.sites [data-state=online]').waitFor({ timeout: PATIENCE });
  });
});
