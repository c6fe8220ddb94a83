import { HOUR, MINUTE } from '#libs/kernel';
import { describeWith, waitUntil } from '#libs/testing';
import type { Page, Route } from 'playwright-core';
import { addressOf, pagePaths } from './page-routes.fixture.js';
import { PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung, latitude: -2.79, longitude: 104.23 }
  - { id: sembawa, name: Sembawa, district: Sembawa, latitude: -2.9, longitude: 104.54 }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara 1, interval: 1h }
  - { id: udara-02, site: sembawa, kind: air, name: Udara 2, interval: 1h }
  - { id: cctv-01, site: betung, kind: camera, name: Kamera 1, interval: 1m }
`;
const PASSWORD = 'tujuh kuda di rawa';
/** What a page asks of the API, without what stands around every page. */
const ASKED = /\/api\/v1\/(?!session$|live|page)/;
/** It shows what each state looks like, whatever the API says. */
const SPECIMENS = '/gaya';
/** They show nothing of Pantau until somebody does something. */
const ASK_NOTHING = [SPECIMENS, '/registry/import'];
/** Nobody signs in there; the suites of links and of the display look at their states. */
const ALONE = ['/link', '/layar'];
const PATHS = pagePaths().filter((path) => !ALONE.includes(path));
const EXAMPLES = {
  ...{ device: 'udara-01', rule: 'pm25', since: '1700000000000', indicator: 'env.aq.pm25_daily_mean' },
  ...{
    subject: 'udara-01',
    period: '2026-01-01',
    parameter: 'pm25',
    stream: 'uplink',
    shard: '0',
    offset: '0',
  },
};
/** Of what could not be read to be asked for again. */
const PATIENCE = 40_000;
const DEFICIENCIES = ['deuteranopia', 'protanopia', 'tritanopia', 'achromatopsia'] as const;

/** Elements that show a state, a category or a severity by colour, and have no shape or no word with it. */
const BARE = `[...document.querySelectorAll('[data-state], [data-category], [data-severity]')]
  .filter((element) => {
    const isDrawn = element instanceof SVGElement;
    const whole = isDrawn ? element.closest('a, g') : element;
    return whole.textContent.trim() === '' || !(isDrawn || element.querySelector('svg') !== null);
  })
  .map(({ outerHTML }) => outerHTML)`;

/** The first administrator at the page of a Pantau. */
async function entered(pantau: PantauFixture): Promise<PageFixture> {
  const browser = await PageFixture.at(pantau);
  await browser.useFirstLink(pantau, PASSWORD);
  return browser;
}

/** Nothing is waited for any more. */
const settled = (page: Page): Promise<true> =>
  waitUntil('all is loaded', async () => (await page.locator('.loading').count()) === 0);

describeWith(['chromium'], 'every page', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;
  let ts: string;

  beforeAll(async () => {
    pantau = await new PantauFixture().start('', SITES);
    browser = await entered(pantau);
    const now = Date.now();
    ts = new Date(now - MINUTE).toISOString();
    // A day of hours with one category of the index for each of two stations.
    for (const [device, site, pm25] of [
      ['udara-01', 'betung', 30],
      ['udara-02', 'sembawa', 120],
    ] as const) {
      const client = await pantau.connect(device);
      for (let hour = 23; hour >= 0; hour--)
        await client.publishAsync(
          `pantau/v1/${site}/${device}/telemetry`,
          JSON.stringify({
            ts: new Date(now - hour * HOUR - MINUTE).toISOString(),
            values: { pm25, temperature: 30 },
          }),
          { qos: 1 },
        );
    }
    await pantau.caughtUp();
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await browser.page.unrouteAll({ behavior: 'ignoreErrors' });
    expect(browser.faults.splice(0)).toEqual([]);
  });
  const address = (path: string): string => addressOf(path, { ...EXAMPLES, ts });

  it.each(PATHS)('%s says that it waits for a slow answer, and shows it when it comes', async (path) => {
    const { page } = browser;
    const held: Route[] = [];
    let isHeld = true;
    await page.route(ASKED, async (route) => {
      if (isHeld) held.push(route);
      else await route.continue();
    });
    await browser.go(address(path));
    await page.getByRole('button', { name: 'Keluar' }).waitFor();
    if (!ASK_NOTHING.includes(path)) {
      await waitUntil('something was asked', () => held.length > 0);
      await page.locator('.loading').first().waitFor({ state: 'attached' });
      await page.getByText('Memuat …').first().waitFor();
      await page.locator('h1').first().waitFor();
      await browser.picture(`slow${path.replaceAll(/\W+/g, '-')}`);
    }
    isHeld = false;
    for (const route of held) await route.continue();
    if (path !== SPECIMENS) await settled(page);
    await page.locator('h1').first().waitFor();
    if (path !== SPECIMENS) expect(await page.getByRole('button', { name: 'Coba lagi' }).count()).toBe(0);
  });

  it.each(
    PATHS.flatMap(
      (path) =>
        [
          ['an error of the server', path, (route: Route) => route.fulfill({ status: 500, json: {} })],
          ['a broken connection', path, (route: Route) => route.abort('connectionreset')],
        ] as const,
    ),
  )(
    '%s at %s is said in words where it was needed, and is over when it is asked again',
    async (what, path, fail) => {
      const { page } = browser;
      let failed = 0;
      await page.route(ASKED, async (route) => {
        failed++;
        await fail(route);
      });
      await browser.go(address(path));
      await page.getByRole('button', { name: 'Keluar' }).waitFor();
      const again = page.getByRole('main').getByRole('button', { name: 'Coba lagi' });
      if (!ASK_NOTHING.includes(path)) {
        await waitUntil('something was asked', () => failed > 0);
        await again.first().waitFor();
        await settled(page);
        const said = page.getByText(what === 'a broken connection' ? 'Pantau tidak menjawab' : '500');
        await said.first().waitFor();
        await browser.picture(
          `${what === 'a broken connection' ? 'cut' : 'error'}${path.replaceAll(/\W+/g, '-')}`,
        );
      }
      await page.locator('h1').first().waitFor();
      expect(await browser.violations()).toEqual([]);
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      if (!ASK_NOTHING.includes(path)) await again.first().click();
      // The others are asked again by themselves.
      if (path !== SPECIMENS)
        await waitUntil('all is read', async () => (await again.count()) === 0, PATIENCE);
      if (path !== SPECIMENS) await settled(page);
      await page.locator('h1').first().waitFor();
    },
  );

  it.each(DEFICIENCIES)('can be told apart with %s', async (type) => {
    const { page, context } = browser;
    const session = await context.newCDPSession(page);
    for (const [name, path] of [
      ['overview', '/'],
      ['style', '/gaya'],
      ['device', '/perangkat/udara-02'],
    ] as const) {
      await browser.go(path);
      await page.locator('h1').first().waitFor();
      if (name !== 'style') await settled(page);
      if (name === 'overview') {
        await page.getByRole('link', { name: /^Sembawa \d+, ISPU/ }).waitFor({ timeout: PATIENCE });
      }
      // A reload ends it.
      await session.send('Emulation.setEmulatedVisionDeficiency', { type });
      await browser.picture(`${type}-${name}`);
      // Whatever has a colour of a state or a category has a shape and a word beside it.
      const bare = await page.evaluate<string[]>(BARE);
      expect(bare).toEqual([]);
    }
    await session.send('Emulation.setEmulatedVisionDeficiency', { type: 'none' });
    await session.detach();
  });
});

describeWith(['chromium'], 'every page of a Pantau without anything', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;

  beforeAll(async () => {
    pantau = await new PantauFixture().start('', 'sites: []\ndevices: []\n');
    browser = await entered(pantau);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
  });
  afterEach(() => {
    expect(browser.faults.splice(0)).toEqual([]);
  });

  it.each(PATHS)('%s says that there is nothing, and how it comes to be', async (path) => {
    const { page } = browser;
    await browser.go(addressOf(path, { ...EXAMPLES, ts: '2026-01-01T00:00:00Z' }));
    await page.locator('h1').first().waitFor();
    if (path !== SPECIMENS) await settled(page);
    // More than its title.
    expect((await page.getByRole('main').innerText()).split('\n').length).toBeGreaterThan(1);
    expect(await browser.violations()).toEqual([]);
    expect(await browser.overflow()).toBe(0);
    await browser.picture(`nothing${path.replaceAll(/\W+/g, '-')}`);
  });
});
