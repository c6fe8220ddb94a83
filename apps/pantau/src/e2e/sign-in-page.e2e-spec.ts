import { describeWith, startSignOnServer, waitUntil, type SignOnServer } from '#libs/testing';
import { Secret, TOTP } from 'otpauth';
import { PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const NAME = 'ani';
const PASSWORD = 'tujuh kuda di rawa';
const CALLBACK = '/api/v1/session/open-id/callback';

describeWith(['chromium'], 'signing in with a browser', () => {
  let pantau: PantauFixture;
  let server: SignOnServer;
  let browser: PageFixture;
  /** Of everybody who has a browser here. */
  const people: PageFixture[] = [];

  beforeAll(async () => {
    pantau = await new PantauFixture().start(async (address) => {
      server = await startSignOnServer(`${address}${CALLBACK}`);
      return (
        `accounts:\n  secondFactor: [operator]\n  openIdConnect: { issuer: '${server.issuer}', clientId: pantau, ` +
        `clientSecret: ${server.secret}, roles: { evaluator: [dlh] } }\n`
      );
    });
    browser = await PageFixture.at(pantau);
    people.push(browser);
    await browser.useFirstLink(pantau, PASSWORD, NAME);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
    await server.close();
  });
  afterEach(() => {
    expect(people.flatMap(({ faults }) => faults.splice(0))).toEqual([]);
  });

  async function person(): Promise<PageFixture> {
    const other = await browser.another();
    people.push(other);
    return other;
  }

  it('goes to the sign-on server and comes back to the page that was asked for', async () => {
    server.people.set('u-7', { name: 'Dewi Lestari', groups: ['dlh'] });
    const dewi = await person();
    const { page } = dewi;
    await dewi.go('/indicators?indikator=env.aq.pm25_daily_mean');
    await page.getByRole('link', { name: 'Masuk lewat SSO' }).click();
    await page.waitForURL(new RegExp(`^${server.issuer}/`));
    await page.locator('input[name=login]').fill('u-7');
    await page.locator('input[name=password]').fill('x');
    await page.locator('form button[type=submit]').click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Indikator', level: 1 }).waitFor();
    expect(page.url()).toBe(`${dewi.address}/indicators?indikator=env.aq.pm25_daily_mean`);
    await page.getByRole('link', { name: /Dewi Lestari.*Evaluator/ }).waitFor();
    await page.getByRole('button', { name: 'Keluar' }).click();
    await page.getByRole('heading', { name: 'Masuk ke Pantau' }).waitFor();
  });

  it('asks who needs one for a second factor, and shows the recovery codes until they are kept', async () => {
    await pantau.engines.users.put('budi', { role: 'operator', disabled: false });
    const link = await pantau.engines.users.link('budi');
    const budi = await person();
    const { page } = budi;
    await budi.useLink(`${budi.address}/link#${link}`, PASSWORD);
    await page.getByRole('heading', { name: 'Faktor kedua', level: 1 }).waitFor();
    await page.getByLabel('Kata sandi sekarang').fill(PASSWORD);
    await page.getByRole('button', { name: 'Siapkan' }).click();
    await page.getByRole('img', { name: 'Kode QR untuk aplikasi autentikator' }).waitFor();
    await budi.picture('second-factor-needed-id-dark');
    expect(await budi.violations()).toEqual([]);
    const key = (await page.getByText('Atau ketik sendiri di aplikasi').textContent())!
      .split(': ')[1]!
      .trim();
    const app = new TOTP({ secret: Secret.fromBase32(key) });
    await page.getByLabel('Kode pertama').fill('000000');
    await page.getByRole('button', { name: 'Pakai mulai sekarang' }).click();
    await page.getByText('Kode ini tidak cocok').waitFor();
    await page.getByLabel('Kode pertama').fill(app.generate());
    await page.getByRole('button', { name: 'Pakai mulai sekarang' }).click();
    const codes = page.getByLabel('Kode cadangan');
    const [recovery] = (await codes.inputValue()).split('\n');
    // Whatever else tells this page that its session is another one now, they stay.
    const tab = await budi.open();
    await tab.goto(`${budi.address}/`);
    await tab.getByRole('heading', { name: 'Ikhtisar' }).waitFor();
    await tab.evaluate(`new BroadcastChannel('pantau-session').postMessage('in')`);
    await tab.waitForLoadState('networkidle').catch(() => undefined);
    expect(await codes.isVisible()).toBe(true);
    await budi.picture('recovery-codes-id-dark');
    await page.getByRole('button', { name: 'Sudah saya simpan' }).click();
    await page.getByRole('heading', { name: 'Ikhtisar' }).waitFor();
    // The session goes on with its new token.
    await page.getByRole('button', { name: 'Keluar' }).click();
    await page.getByRole('heading', { name: 'Masuk ke Pantau' }).waitFor();

    await budi.signIn('budi', PASSWORD);
    await page.getByText('Akun ini memakai faktor kedua').waitFor();
    expect(await page.getByLabel('Nama pengguna').inputValue()).toBe('budi');
    await page.getByLabel('Kode faktor kedua').fill('000000');
    await page.getByRole('button', { name: 'Masuk', exact: true }).click();
    await page.getByText('tidak cocok').waitFor();
    await page.getByLabel('Kode faktor kedua').fill(recovery!);
    await page.getByRole('button', { name: 'Masuk', exact: true }).click();
    await page.getByRole('heading', { name: 'Ikhtisar' }).waitFor();
    // Each is for one time.
    await page.getByRole('button', { name: 'Keluar' }).click();
    await page.getByRole('heading', { name: 'Masuk ke Pantau' }).waitFor();
    await budi.signIn('budi', PASSWORD);
    await page.getByLabel('Kode faktor kedua').fill(recovery!);
    await page.getByRole('button', { name: 'Masuk', exact: true }).click();
    await page.getByText('tidak cocok').waitFor();
  });

  it('shares one stream of events among all tabs, of which another goes on where the first is closed', async () => {
    const open = new Set<unknown>();
    browser.context.on('request', (request) => {
      if (request.url().endsWith('/api/v1/live')) open.add(request);
    });
    browser.context.on('requestfinished', (request) => void open.delete(request));
    browser.context.on('requestfailed', (request) => void open.delete(request));
    await browser.go('/');
    const tabs = [browser.page];
    for (let i = 1; i < 8; i++) {
      const tab = await browser.open();
      await tab.goto(`${browser.address}/`);
      tabs.push(tab);
    }
    for (const tab of tabs) await tab.getByRole('region', { name: 'Lokasi' }).getByText('Udara 1').waitFor();
    expect(open.size).toBe(1);
    const air = await pantau.connect('udara-01');
    const seen = async (pm25: number, shown: string): Promise<void> => {
      await air.publishAsync(
        'pantau/v1/betung/udara-01/telemetry',
        JSON.stringify({ ts: new Date().toISOString(), values: { pm25 } }),
        {
          qos: 1,
        },
      );
      for (const tab of tabs)
        await tab.getByRole('region', { name: 'Baru saja masuk' }).getByText(shown).waitFor();
    };
    await seen(21.5, '21,5');
    await tabs.shift()!.close();
    await waitUntil('another tab leads', () => open.size === 1);
    await seen(22.5, '22,5');
    browser.page = tabs[0]!;
    for (const tab of tabs.slice(1)) await tab.close();
  });
});
