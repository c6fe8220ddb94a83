import { DAY, HOUR, MINUTE } from '#libs/kernel';
import { describeWith, waitUntil } from '#libs/testing';
import { PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung, latitude: -2.79, longitude: 104.23 }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara Betung, interval: 5s }
`;
const NAME = 'ani';
const PASSWORD = 'tujuh kuda di rawa';
const SECONDS = 5_000;
/** Readings of half a day, more than a screen has pixels. */
const READINGS = (12 * HOUR) / SECONDS;
const PEAK = 3_456;

describeWith(['chromium'], 'the chart of many readings', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;
  let from: number;

  beforeAll(async () => {
    pantau = await new PantauFixture().start('', SITES);
    browser = await PageFixture.at(pantau);
    from = Date.now() - 13 * HOUR;
    const client = await pantau.connect('udara-01');
    const values = (i: number) => (i === PEAK ? 480 : 20 + (i % 7));
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < READINGS; i++) {
      const body = { ts: new Date(from + i * SECONDS).toISOString(), values: { pm25: values(i) } };
      // Without an hour in the middle.
      if (i < 5_040 || i >= 5_760)
        sent.push(
          client.publishAsync('pantau/v1/betung/udara-01/telemetry', JSON.stringify(body), { qos: 1 }),
        );
    }
    await Promise.all(sent);
    await pantau.caughtUp();
    await browser.useFirstLink(pantau, PASSWORD, NAME);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
  });
  afterEach(() => {
    expect(browser.faults.splice(0)).toEqual([]);
  });

  it('gives the peak of one reading in a month as the highest of its part of time', async () => {
    interface Bucket {
      readonly ts: string;
      readonly trusted?: { readonly count: number; readonly max: number };
      readonly suspect?: { readonly count: number; readonly max: number };
      readonly failed?: { readonly count: number; readonly max: number };
    }
    const span = `from=${new Date(from - 25 * DAY).toISOString()}&to=${new Date(from + 5 * DAY).toISOString()}`;
    const { status, body } = await pantau.get<{ bucketMs: number; unit: string; items: Bucket[] }>(
      `readings/envelope?device=udara-01&parameter=pm25&buckets=1000&${span}`,
    );
    expect([status, body.unit, body.bucketMs]).toEqual([200, 'ug/m3', (30 * DAY) / 1_000]);
    const all = body.items.flatMap(({ trusted, suspect, failed }) => [trusted, suspect, failed]);
    const kinds = all.filter((one) => one !== undefined);
    expect(Math.max(...kinds.map(({ max }) => max))).toBe(480);
    expect(kinds.reduce((sum, { count }) => sum + count, 0)).toBe(READINGS - 720);
    const wrong = await pantau.get<{ errors: { field: string }[] }>(
      'readings/envelope?device=udara-01&parameter=pm25&buckets=2001',
    );
    expect([wrong.status, wrong.body.errors[0]?.field]).toEqual([400, 'buckets']);
  });

  it('draws them together, with the gap and what is doubted, and each of them where somebody zooms in', async () => {
    const { page } = browser;
    await browser.go('/perangkat/udara-01?rentang=24j');
    await page.getByText(/Terendah, tertinggi, dan rata-rata tiap .* dari 7\.920 pembacaan/).waitFor();
    const chart = page.getByRole('img', { name: /PM2.5 Udara Betung: terakhir/ });
    expect(await chart.getAttribute('aria-label')).toContain('1 celah');
    await browser.picture('chart-together');
    const box = (await chart.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.7, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.75, box.y + 100, { steps: 5 });
    await page.mouse.up();
    await page.getByText('Setiap pembacaan').waitFor();
    expect(page.url()).toMatch(/dari=.*&sampai=/);
    await page.reload();
    await page.getByText('Setiap pembacaan').waitFor();
    await browser.picture('chart-each');
  });

  it('zooms by the keys, the buttons and the wheel, and back', async () => {
    const { page } = browser;
    await browser.go('/perangkat/udara-01?rentang=24j');
    await page.getByText(/^Terendah, tertinggi/).waitFor();
    const shown = (): number => {
      const query = new URL(page.url()).searchParams;
      return Date.parse(query.get('sampai') ?? '') - Date.parse(query.get('dari') ?? '');
    };
    const is = (hours: number) =>
      waitUntil(`${hours} hours are shown`, () => Math.abs(shown() - hours * HOUR) < MINUTE);
    await page.getByRole('button', { name: 'Perbesar' }).focus();
    await page.keyboard.press('Enter');
    await is(12);
    for (let i = 0; i < 3; i++) await page.keyboard.press('+');
    await is(1.5);
    await page.getByText('Setiap pembacaan').waitFor();
    await page.getByRole('button', { name: 'Perkecil' }).click();
    await is(3);
    const chart = page.getByRole('img', { name: /PM2.5 Udara Betung/ });
    await chart.hover();
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, 100);
    await page.keyboard.up('Control');
    await is(3.75);
    await page.getByRole('button', { name: 'Perkecil' }).focus();
    await page.keyboard.press('Escape');
    await waitUntil('the range is back', () => !page.url().includes('dari='));
    await page.getByText(/^Terendah, tertinggi/).waitFor();
    expect(await browser.violations()).toEqual([]);
  });

  it.each([
    ['overview', '/', 'Ikhtisar'],
    ['device', '/perangkat/udara-01?rentang=24j', 'Udara Betung'],
    ['indicators', '/indicators', 'Indikator'],
  ])('the %s is printed whole: nothing is cut off, no control takes paper', async (name, path, heading) => {
    const { page } = browser;
    // What is between the margins of A4.
    await page.setViewportSize({ width: 688, height: 1_000 });
    await browser.go(path);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await waitUntil('all is loaded', async () => (await page.locator('.loading, .place').count()) === 0);
    await page.emulateMedia({ media: 'print' });
    if (name === 'device') {
      await page.getByText(/^Terendah, tertinggi/).waitFor();
      // The list of gaps, which is closed on the screen.
      await page.getByRole('figure').getByText('Pantau tidak mendengarkan').first().waitFor();
    }
    await browser.picture(`print-${name}`);
    expect(await browser.overflow()).toBe(0);
    expect(await page.getByRole('button').count()).toBe(0);
    expect(await page.getByRole('navigation').count()).toBe(0);
    const cut = await page.evaluate<string[]>(`[...document.querySelectorAll('main *')].flatMap((one) => {
      const { overflowX } = getComputedStyle(one);
      const isCut = overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1;
      return isCut ? [one.tagName + '.' + one.className + ' ' + one.textContent.slice(0, 40)] : [];
    })`);
    expect(cut).toEqual([]);
    await page.emulateMedia({ media: null });
    await page.setViewportSize({ width: 1440, height: 900 });
  });
});
