import { HOUR, localDateOf, MINUTE } from '#libs/kernel';
import { describeWith } from '#libs/testing';
import type { MqttClient } from 'mqtt';
import { PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung, latitude: -2.79, longitude: 104.23 }
  - { id: sembawa, name: Sembawa, district: Sembawa, latitude: -2.9, longitude: 104.54 }
  - { id: tanpa-tempat, name: Tanpa Tempat }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara Betung, interval: 1m }
  - { id: udara-02, site: sembawa, kind: air, name: Udara Sembawa, interval: 1h }
  - { id: udara-03, site: tanpa-tempat, kind: air, name: Udara Kayuara, interval: 1m }
  - { id: udara-04, site: tanpa-tempat, kind: air, name: Udara Rimba, interval: 1m }
  - { id: cctv-01, site: betung, kind: camera, name: Kamera Simpang, interval: 1m }
  - { id: cctv-02, site: sembawa, kind: camera, name: '<img src=x onerror=alert(1)>', interval: 1m }
`;
const NAME = 'ani';
const PASSWORD = 'tujuh kuda di rawa';
/** Of the page to show something of Pantau. */
const PATIENCE = 40_000;

describeWith(['chromium'], 'the page in a browser', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;
  let air: MqttClient;
  /** Since when one station tells of smoke. */
  let smokeSince: number;

  beforeAll(async () => {
    pantau = await new PantauFixture().start('', SITES);
    browser = await PageFixture.at(pantau);
    await publishPast();
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
  });
  afterEach(() => {
    expect(browser.faults.splice(0)).toEqual([]);
  });

  const telemetry = (client: MqttClient, site: string, device: string, ts: number, pm25: number) =>
    client.publishAsync(
      `pantau/v1/${site}/${device}/telemetry`,
      JSON.stringify({ ts: new Date(ts).toISOString(), values: { pm25, temperature: 29.5 } }),
      { qos: 1 },
    );

  /** A day of hours of one station, some minutes of another with a gap, and cameras that work. */
  async function publishPast(): Promise<void> {
    const now = Date.now();
    air = await pantau.connect('udara-01');
    const hourly = await pantau.connect('udara-02');
    for (let hour = 23; hour >= 0; hour--)
      await telemetry(hourly, 'sembawa', 'udara-02', now - hour * HOUR - MINUTE, 40 + hour);
    for (let minute = 90; minute > 0; minute--)
      if (minute > 40 || minute < 20)
        await telemetry(
          air,
          'betung',
          'udara-01',
          now - minute * MINUTE,
          minute === 70 ? 900 : 20 + (minute % 7),
        );
    smokeSince = now - 25 * MINUTE;
    const smoky = await pantau.connect('udara-03');
    for (let minute = 25; minute > 0; minute--)
      await telemetry(smoky, 'tanpa-tempat', 'udara-03', now - minute * MINUTE, 150 + (minute % 3));
    for (const topic of ['pantau/v1/tanpa-tempat/udara-03/telemetry', 'pabrik/udara-03/data'])
      await smoky.publishAsync(topic, '<b>bukan json</b>', { qos: 1 });
    const camera = await pantau.connect('cctv-01');
    await camera.publishAsync(
      'pantau/v1/betung/cctv-01/heartbeat',
      JSON.stringify({ ts: new Date(now).toISOString(), state: 'up' }),
      { qos: 1 },
    );
    await pantau.caughtUp();
  }

  async function signIn(): Promise<void> {
    const { page } = browser;
    await page.getByLabel('Nama pengguna').fill(NAME);
    await page.getByLabel('Kata sandi').fill(PASSWORD);
    await page.getByRole('button', { name: 'Masuk', exact: true }).click();
  }

  it('is where the printed link leads: the first administrator sets a password and is in', async () => {
    expect(pantau.printed).toMatch(/ready: halaman \/ page http:\/\/127\.0\.0\.1:\d+\//);
    const { page } = browser;
    await page.goto(/http:\S+\/link#\S+/.exec(pantau.printed)![0]);
    await page.getByLabel(/Nama pengguna/).fill(NAME);
    await page.getByLabel('Kata sandi baru').fill('pendek');
    await page.getByRole('button', { name: 'Tetapkan kata sandi' }).click();
    // The browser says that it is too short, and nothing typed is lost.
    expect(await page.getByLabel(/Nama pengguna/).inputValue()).toBe(NAME);
    await page.getByLabel('Kata sandi baru').fill(PASSWORD);
    await page.getByRole('button', { name: 'Tetapkan kata sandi' }).click();
    await page.getByRole('heading', { name: 'Ikhtisar' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/');
  });

  it('shows the regency, map and list alike, and what comes in', async () => {
    const { page } = browser;
    const list = page.getByRole('region', { name: 'Lokasi' });
    await list.getByText('Udara Sembawa').waitFor();
    const index = list.getByText(/Sedang|Tidak Sehat/).first();
    await index.waitFor({ timeout: PATIENCE });
    const number = /\d+/.exec((await index.textContent()) ?? '')![0];
    await page.getByRole('link', { name: new RegExp(`^Sembawa ${number} 0/1, ISPU 24 jam `) }).waitFor();
    await page.getByText('Tanpa Tempat').waitFor();
    await page.getByText('Tanpa koordinat, hanya ada di daftar: 1 lokasi').waitFor();
    await list.getByText('<img src=x onerror=alert(1)>').waitFor();
    await telemetry(air, 'betung', 'udara-01', Date.now(), 37.5);
    const news = page.getByRole('region', { name: 'Baru saja masuk' });
    await news.getByText('37,5').waitFor();
    const second = await browser.open();
    await second.goto(page.url());
    await second.getByRole('region', { name: 'Lokasi' }).getByText('Udara Betung').waitFor();
    await telemetry(air, 'betung', 'udara-01', Date.now() + 1, 38.5);
    await second.getByRole('region', { name: 'Baru saja masuk' }).getByText('38,5').waitFor();
    await news.getByText('38,5').waitFor();
    await second.close();
  });

  it('finds a device by the keyboard, and shows its values with gaps, doubts and their proof', async () => {
    const { page } = browser;
    await page.keyboard.press('Control+k');
    await page.keyboard.type('udara bet');
    await page.getByRole('option', { name: /Udara Betung/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Udara Betung' }).waitFor();
    await page.getByRole('img', { name: /PM2.5 Udara Betung: terakhir 38,5/ }).waitFor();
    const latest = page.getByRole('region', { name: 'Nilai terakhir' });
    await latest.getByRole('button', { name: 'Lihat' }).first().click();
    const proof = page.getByRole('dialog', { name: 'Kiriman asal pembacaan ini' });
    await proof.getByText('pantau/v1/betung/udara-01/telemetry').waitFor();
    await proof.getByText('"pm25":38.5').waitFor();
    await proof.getByRole('button', { name: 'Tutup' }).click();
    await page.getByRole('button', { name: '7 hari' }).click();
    expect(page.url()).toContain('rentang=7h');
    await page.reload();
    await page.getByRole('button', { name: '7 hari', pressed: true }).waitFor();
  });

  it('lists what rules say, keeps the filters in the address, and leads down to the bytes', async () => {
    const { page } = browser;
    await page.getByRole('link', { name: 'Peringatan', exact: true }).click();
    await page.getByRole('heading', { name: 'Peringatan', level: 1 }).waitFor();
    await page.getByLabel('Keadaan').selectOption('resolved');
    await page.getByText('Tidak ada peringatan yang cocok').waitFor();
    await page.getByLabel('Keadaan').selectOption('firing');
    await page.getByLabel('Lokasi', { exact: true }).selectOption('tanpa-tempat');
    expect(page.url()).toContain('keadaan=firing&lokasi=tanpa-tempat');
    await page.reload();
    await page.getByRole('cell', { name: /Berlangsung/ }).waitFor({ timeout: PATIENCE });
    await page.getByRole('link', { name: 'PM2,5 tinggi' }).click();
    await page.getByRole('heading', { name: 'PM2,5 tinggi' }).waitFor();
    const evidence = page.getByRole('region', { name: 'Pembacaan yang menimbulkannya' });
    await evidence.getByRole('link', { name: 'Lihat bukti' }).first().click();
    await page.getByRole('heading', { name: 'Bukti pembacaan PM2.5 udara-03' }).waitFor();
    await page.getByRole('link', { name: /^uplink/ }).click();
    await page.getByRole('heading', { name: /^Entri jurnal: uplink/ }).waitFor();
    await page
      .getByRole('region', { name: 'Isi asli' })
      .getByText(/"pm25":15\d/)
      .waitFor();
    const became = page.getByRole('region', { name: 'Apa jadinya kiriman ini' });
    await became.getByText(/^[2468] pembacaan tiba pada saat yang sama/).waitFor(); // Two of each of that millisecond.
    await page
      .getByRole('link', { name: /Sebelumnya|Berikutnya/ })
      .first()
      .waitFor();
  });

  it('lets new alerts wait behind a counter, and shows where one stands that it is over', async () => {
    const { page } = browser;
    await browser.go('/alerts');
    await page
      .getByRole('cell', { name: /Berlangsung/ })
      .first()
      .waitFor();
    await page.getByRole('link', { name: 'PM2,5 tinggi' }).first().focus();
    const rows = await page.getByRole('row').count();
    const client = await pantau.connect('udara-04');
    const now = Date.now();
    for (let minute = 12; minute > 0; minute--)
      await telemetry(client, 'tanpa-tempat', 'udara-04', now - minute * MINUTE, 104 + (minute % 3));
    await page.getByRole('button', { name: '1 baru: tampilkan' }).waitFor({ timeout: PATIENCE });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('PM2,5 tinggi');
    expect(await page.getByRole('row').count()).toBe(rows);
    await page.getByRole('button', { name: '1 baru: tampilkan' }).click();
    const row = page.getByRole('row', { name: /udara-04/ });
    await row.getByText('Berlangsung').waitFor();
    await telemetry(client, 'tanpa-tempat', 'udara-04', now, 79);
    await row.getByText('Selesai').waitFor({ timeout: PATIENCE });
  });

  it('opens the proof of a figure, and computes it again from the bytes', async () => {
    const { page } = browser;
    await browser.go('/indicators?indikator=env.aq.pm25_daily_mean&perangkat=udara-03');
    await page
      .getByRole('cell', { name: /Belum cukup data/ })
      .first()
      .waitFor({ timeout: PATIENCE });
    await page
      .getByRole('link', { name: /^Lihat bukti/ })
      .first()
      .click();
    await page.getByRole('heading', { name: /PM2,5/, level: 1 }).waitFor();
    await page
      .getByRole('region', { name: 'Masukan' })
      .getByRole('link', { name: /^readings/ })
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Hitung ulang dari byte' }).click();
    await page
      .getByText('Byte, entri, keadaan, dan angka mengatakan hal yang sama.')
      .waitFor({ timeout: PATIENCE });
  });

  it('says why something was refused and what can be done, as the bytes that came', async () => {
    const { page } = browser;
    await page.getByRole('link', { name: 'Ditolak', exact: true }).click();
    await page.getByRole('heading', { name: 'Yang ditolak' }).waitFor();
    await page
      .getByRole('region', { name: 'Topik yang belum dipetakan' })
      .getByText('pabrik/udara-03/data')
      .first()
      .waitFor();
    type Counts = { counts: { count: number; firstAt: string; lastAt: string }[] };
    const [not] = (await pantau.get<Counts>('rejected?reason=not_json')).body.counts;
    expect(not).toMatchObject({ count: 1, firstAt: not!.lastAt });
    const row = page.getByRole('region', { name: 'Menurut alasan' }).getByRole('row', { name: /Bukan JSON/ });
    expect(await row.locator(`time[datetime="${not!.firstAt}"]`).count()).toBe(2);
    await row.getByRole('link', { name: 'Bukan JSON' }).click();
    await page.waitForURL(/alasan=not_json/);
    const newest = page.getByRole('region', { name: 'Terbaru dahulu' });
    await newest.getByText('Isi asli').first().click();
    await newest.getByText('<b>bukan json</b>', { exact: true }).waitFor();
    await newest.getByText('Perbaiki programnya').waitFor();
  });

  it('accounts for every message, and checks all of it', async () => {
    const { page } = browser;
    await page.getByRole('link', { name: 'Neraca kiriman' }).click();
    await page.getByText('Seimbang: yang diterima sama').waitFor({ timeout: PATIENCE });
    await page.getByLabel('Hanya satu perangkat').fill('tidak-ada');
    await page.getByRole('button', { name: 'Mulai pemeriksaan' }).click();
    await page.getByText('Tidak ditemukan').first().waitFor();
    await page.getByLabel('Hanya satu perangkat').fill('');
    await page.getByRole('button', { name: 'Mulai pemeriksaan' }).click();
    await page.getByText('Semuanya sama: byte, entri, dan basis data.').waitFor({ timeout: PATIENCE });
  });

  it('accounts for each day, and leads from what was refused on it to the messages', async () => {
    const { page } = browser;
    await browser.go('/account-of-messages');
    const day = localDateOf(Date.now());
    const row = page.getByRole('region', { name: 'Menurut hari kedatangan' }).getByRole('row', { name: day });
    await row.getByText('● seimbang').waitFor();
    await row.getByText('Menjadi pembacaan', { exact: true }).waitFor();
    await row.getByRole('link', { name: 'Bukan JSON' }).click();
    await page.waitForURL(`**/refused?alasan=not_json&dari=${day}&sampai=${day}`);
    await page.getByRole('region', { name: 'Terbaru dahulu' }).getByText('Isi asli').first().waitFor();
  });

  it('accounts for one device, whose page leads there', async () => {
    const { page } = browser;
    await browser.go('/perangkat/udara-03');
    await page.getByRole('link', { name: 'Neraca perangkat ini' }).click();
    const check = page.getByRole('region', { name: 'Pemeriksaan penuh' });
    expect(await check.getByLabel('Hanya satu perangkat').inputValue()).toBe('udara-03');
    await check.getByRole('button', { name: 'Mulai pemeriksaan' }).click();
    await check.getByRole('link', { name: 'hanya udara-03' }).waitFor({ timeout: PATIENCE });
    await check.getByText('Semuanya sama: byte, entri, dan basis data.').waitFor({ timeout: PATIENCE });
    type Status = { result: { messages: { kept: number; refused: number } } };
    const { kept, refused } = (await pantau.get<Status>('reconciliation/check')).body.result.messages;
    expect([kept, refused]).toEqual([expect.any(Number), 1]);
    await check.getByText(`${kept} kiriman yang disimpan jurnal`).waitFor();
    const parts = check.getByRole('listitem').filter({ hasText: 'Menjadi pembacaan' });
    await parts.getByText(String(kept - refused), { exact: true }).waitFor();
  });

  it('says that the connection is lost while Pantau is away, and heals by itself', async () => {
    const { page } = browser;
    await browser.go('/');
    await page.getByRole('region', { name: 'Lokasi' }).getByText('Udara Betung').waitFor();
    await pantau.restart(() =>
      page.getByText('Sambungan ke Pantau terputus.').waitFor({ timeout: PATIENCE }),
    );
    await page.getByText('Sambungan ke Pantau terputus.').waitFor({ state: 'hidden', timeout: PATIENCE });
    air = await pantau.connect('udara-01');
    await telemetry(air, 'betung', 'udara-01', Date.now(), 41.5);
    await page
      .getByRole('region', { name: 'Baru saja masuk' })
      .getByText('41,5')
      .waitFor({ timeout: PATIENCE });
  });

  it('brings back who has to sign in again, with what was typed', async () => {
    const { page } = browser;
    await browser.go('/gaya?x=1');
    await page.getByLabel('Nama lokasi').first().fill('belum disimpan');
    // The stream of both is that of one of them.
    const other = await browser.open();
    await other.goto(`${browser.address}/`);
    await other.getByRole('heading', { name: 'Ikhtisar' }).waitFor();
    const { sessions, users } = pantau.engines;
    for (const { id } of await sessions.list(await users.get(NAME))) await sessions.end(NAME, id);
    await page.getByRole('heading', { name: 'Sesi Anda berakhir' }).waitFor({ timeout: PATIENCE });
    await other.getByRole('heading', { name: 'Sesi Anda berakhir' }).waitFor({ timeout: PATIENCE });
    await page.getByLabel('Kata sandi').fill('salah sama sekali');
    await page.getByRole('button', { name: 'Masuk', exact: true }).click();
    await page.getByText('tidak cocok').waitFor();
    await page.getByLabel('Kata sandi').fill(PASSWORD);
    await page.getByRole('button', { name: 'Masuk', exact: true }).click();
    await page.getByRole('heading', { name: 'Sesi Anda berakhir' }).waitFor({ state: 'hidden' });
    expect(await page.getByLabel('Nama lokasi').first().inputValue()).toBe('belum disimpan');
    expect(page.url()).toContain('/gaya?x=1');
    await other.getByRole('heading', { name: 'Sesi Anda berakhir' }).waitFor({ state: 'hidden' });
    await other.close();
  });

  it('says at its place what cannot be read, and reads it when asked again', async () => {
    const { page } = browser;
    const devices = /\/api\/v1\/devices\?/;
    await page.route(devices, (route) =>
      route.fulfill({ status: 503, json: { title: 'Sementara tidak tersedia', status: 503 } }),
    );
    await browser.go('/');
    const wrong = page.getByRole('region', { name: 'Yang perlu diperhatikan sekarang' });
    await wrong.getByText('Sementara tidak tersedia').waitFor();
    await page.getByRole('region', { name: 'Lokasi' }).getByText('Betung', { exact: true }).waitFor();
    await page.unroute(devices);
    await wrong.getByRole('button', { name: 'Coba lagi' }).click();
    await wrong.getByText('Kamera Simpang').waitFor();
  });

  it('is passed through by keyboard alone', async () => {
    const { page } = browser;
    await browser.go('/');
    await page.getByRole('button', { name: 'Keluar' }).click();
    await page.getByRole('heading', { name: 'Masuk ke Pantau' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type(NAME);
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Ikhtisar' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('isi');
  });

  it.each([
    ['overview', '/', /Ikhtisar|Overview/],
    ['device', '/perangkat/udara-01', /Udara Betung/],
    ['camera', '/perangkat/cctv-01', /Kamera Simpang/],
    ['alerts', '/alerts', /Peringatan|Alerts/],
    ['no-alert', '/alerts?keadaan=cancelled', /Peringatan|Alerts/],
    ['alert', '/alerts/pm25/udara-03/{ms}', /PM2,5 tinggi|PM2.5 high/],
    ['indicators', '/indicators', /Indikator|Indicators/],
    ['figure', '/indicators/env.aq.pm25_daily_mean/udara-02/{day}', /PM2[.,]5/],
    ['availability', '/indicators/soc.cctv.availability/cctv-01/{day}', /kamera|camera/i],
    ['no-figure', '/indicators/env.aq.pm25_daily_mean/udara-02/kemarin', /tidak ada|no such/],
    ['refused', '/refused', /ditolak|Refused/],
    ['no-refused', '/refused?alasan=store_refused', /ditolak|Refused/],
    ['account', '/account-of-messages', /Ke mana|Where/],
    ['account-of-one', '/account-of-messages?perangkat=udara-03', /Ke mana|Where/],
    ['reading', '/readings/udara-03/pm25/{iso}', /udara-03/],
    ['journal', '/journal/uplink/0/0', /uplink 0\/0/],
    ['no-entry', '/journal/uplink/0/999999', /uplink/],
    ['style', '/gaya', /Gaya|Style/],
    ['nothing', '/tidak-ada', /tidak ada|no such page/],
  ])(
    '%s can be used by everybody, in both languages and themes, on a phone too',
    async (name, path, heading) => {
      const ms = smokeSince;
      const address = path
        .replace('{ms}', String(ms))
        .replace('{iso}', new Date(ms).toISOString())
        .replace('{day}', localDateOf(ms));
      // The style page shows what loading looks like.
      await browser.lookAtAll(name, address, heading, name === 'style' ? '.never' : '.loading, .place');
    },
  );

  it('lets in who knows the password, and nobody else', async () => {
    const { page } = browser;
    await page.getByRole('button', { name: 'Keluar' }).click();
    await page.getByRole('heading', { name: 'Masuk ke Pantau' }).waitFor();
    await browser.picture('sign-in-id-dark');
    expect(await browser.violations()).toEqual([]);
    await signIn();
    await page.getByRole('button', { name: 'Keluar' }).waitFor();
  });
});
