import { MINUTE } from '#libs/kernel';
import { describeWith, waitUntil } from '#libs/testing';
import { execFileSync } from 'node:child_process';
import { PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung, latitude: -2.79, longitude: 104.23 }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara Betung, interval: 1m }
  - { id: cctv-02, site: betung, kind: camera, name: '<img src=x onerror=alert(1)>', interval: 1m }
`;
const NAME = 'ani';
const PASSWORD = 'tujuh kuda di rawa';
/** Of a message to be shown. */
const PATIENCE = 40_000;

describeWith(['chromium', 'mosquitto_pub'], 'administration and registry in a browser', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;

  beforeAll(async () => {
    pantau = await new PantauFixture().start('', SITES);
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

  it('offers the first steps while nothing was ever heard of any device', async () => {
    const { page } = browser;
    await page.getByRole('link', { name: 'Hubungkan perangkat pertama' }).click();
    await page.getByRole('heading', { name: 'Langkah pertama' }).waitFor();
  });

  it('looks at each line of a list before it registers devices, and at topics that nobody reads', async () => {
    const { page } = browser;
    await browser.go('/registry/import');
    const list = page.getByLabel('Daftar', { exact: true });
    await list.fill('id;site;interval\nudara-01;betung;\nudara-09;betung;5m\nUdara 10;hutan;sejam\n');
    await page.getByText('1 akan ditambahkan, 1 sudah ada, 1 salah').waitFor();
    await page.getByText('Lokasi "hutan" tidak terdaftar.').waitFor();
    await browser.picture('import-preview-id-dark');
    const write = page.getByRole('button', { name: 'Tambahkan 1 perangkat' });
    expect(await write.isDisabled()).toBe(true);
    await list.fill('id;site;interval\nudara-01;betung;\nudara-09;betung;5m\n');
    await write.click();
    await page.getByRole('cell', { name: 'ditambahkan', exact: true }).waitFor();
    expect(await pantau.engines.registry.device('udara-09')).toMatchObject({ intervalMs: 5 * MINUTE });

    const air = await pantau.connect('udara-01');
    await air.publishAsync('pantau/v1/betung/udara-09/telemetry', '{"values":{"pm25":7}}', { qos: 1 });
    await browser.go('/registry/topics');
    const row = page.getByRole('row', { name: /betung\/udara-09/ });
    await row.getByRole('button', { name: 'Petakan' }).click();
    const dialog = page.getByRole('dialog', { name: 'Perangkat mana ini?' });
    await dialog.getByLabel('Perangkat mana ini?').selectOption('udara-09');
    await browser.picture('map-topic-id-dark');
    await dialog.getByRole('button', { name: /udara-01 berbicara untuk udara-09/ }).dblclick();
    await dialog.getByText('udara-01 kini boleh berbicara untuk udara-09').waitFor();
    expect((await pantau.engines.registry.device('udara-01'))!.speaksFor).toEqual(['udara-09']);
  });

  it('leads from a new site to the first message of a new device', async () => {
    const { page } = browser;
    await browser.go('/first-steps');
    await page.getByRole('button', { name: 'Lokasi baru' }).click();
    const site = page.getByRole('dialog', { name: 'Tambah lokasi' });
    await site.getByLabel('ID').fill('betung');
    await site.getByLabel('Nama').fill('Suak Tapeh');
    await site.getByLabel('Lintang').fill('dua');
    await site.getByRole('button', { name: 'Simpan' }).click();
    await site.getByText('Bukan angka.').waitFor();
    await site.getByLabel('Lintang').fill('-2,72');
    await site.getByLabel('Bujur').fill('104,41');
    await site.getByRole('button', { name: 'Simpan' }).click();
    // There is one already, and nobody's site is written over.
    await site.getByText('ID ini sudah terdaftar.').waitFor();
    await site.getByLabel('ID').fill('suak-tapeh');
    await site.getByRole('button', { name: 'Simpan' }).dblclick();
    await page.getByRole('button', { name: 'Perangkat baru' }).click();
    const device = page.getByRole('dialog', { name: 'Tambah perangkat' });
    await device.getByLabel('ID').fill('udara-31');
    await device.getByRole('button', { name: 'Simpan' }).click();
    await page.getByRole('button', { name: 'Buat kata sandi' }).dblclick();
    // As Pantau says it: the line works when it is copied.
    await waitUntil(
      'the port is known',
      async () => (await page.getByLabel('Port MQTT').inputValue()) === new URL(pantau.url).port,
    );
    const line = await page.getByLabel('Perintah').inputValue();
    await page.getByText('Menunggu kiriman pertama').waitFor();
    await browser.picture('first-steps-waiting-id-dark');
    // The same for a maker's device: its settings with what was just made, in both languages.
    const password = /-P (\S+)/.exec(line)![1]!;
    const { port } = new URL(pantau.url);
    const console = `MqttHost 127.0.0.1; MqttPort ${port}; MqttUser udara-31; MqttPassword ${password}; MqttClient udara-31`;
    await page.getByLabel('Merek perangkat').selectOption('tasmota');
    await page.getByRole('region', { name: 'Setelan Tasmota' }).getByText(console).waitFor();
    expect(page.url()).toContain('merek=tasmota');
    await browser.picture('first-steps-maker-id-dark');
    await page.getByLabel('Merek perangkat').selectOption('');
    execFileSync('sh', ['-c', line]);
    await page.getByText('Kiriman pertama tiba dan terbaca.').waitFor({ timeout: PATIENCE });
    await page.getByText('12,5').waitFor();
    await browser.picture('first-steps-arrived-id-dark');
    await browser.go('/');
    await page.getByRole('link', { name: 'udara-31' }).first().waitFor();
    expect(await page.getByRole('link', { name: 'Hubungkan perangkat pertama' }).count()).toBe(0);
  });

  it('lets an administrator invite somebody once, change and end what he has, and see all of it in the audit log', async () => {
    const { page } = browser;
    await browser.go('/admin/users');
    await page.getByRole('button', { name: 'Undang orang' }).click();
    const invite = page.getByRole('dialog', { name: 'Undang orang' });
    await invite.getByLabel('Nama', { exact: true }).fill('Budi Santoso');
    await invite.getByLabel('Nama lengkap').fill('Budi <b>Santoso</b>');
    await invite.getByRole('button', { name: 'Tambahkan dan buat tautan' }).click();
    // What is wrong stands at the field, and nothing typed is lost.
    await invite.locator('input[aria-invalid=true]').waitFor();
    expect(await invite.getByLabel('Nama lengkap').inputValue()).toBe('Budi <b>Santoso</b>');
    await invite.getByLabel('Nama', { exact: true }).fill('budi');
    await invite.getByRole('button', { name: 'Tambahkan dan buat tautan' }).dblclick();
    const link = await invite.getByLabel('Tautan untuk budi').inputValue();
    expect(link).toMatch(/^http:\S+\/link#link_/);
    await browser.picture('invited-id-dark');
    await invite.getByRole('button', { name: 'Tutup' }).click();

    await page.getByLabel('Cari nama').fill('santoso');
    await page.waitForURL(/cari=santoso/);
    await page.getByRole('button', { name: 'Ubah budi' }).click();
    const change = page.getByRole('dialog', { name: 'Ubah budi' });
    await change.getByLabel('Peran').selectOption('operator');
    // Another administrator is quicker.
    await pantau.engines.users.put('budi', { fullName: 'Budi S.', role: 'viewer', disabled: false });
    await change.getByRole('button', { name: 'Simpan' }).click();
    await change.getByText('Sementara itu orang lain mengubahnya').waitFor();
    await change.getByText('Budi S.').waitFor();
    expect(await change.getByLabel('Peran').inputValue()).toBe('operator');
    await change.getByRole('button', { name: 'Simpan' }).click();
    await page.getByRole('row', { name: /budi.*Operator/ }).waitFor();

    await page.getByRole('link', { name: 'Token API' }).click();
    await page.getByRole('button', { name: 'Buat token' }).click();
    const make = page.getByRole('dialog', { name: 'Buat token' });
    await make.getByLabel('Nama', { exact: true }).fill('dasbor');
    await make.getByRole('button', { name: 'Buat', exact: true }).click();
    expect(await make.getByLabel('Token dasbor').inputValue()).toMatch(/^\S{20,}$/);
    await make.getByRole('button', { name: 'Tutup' }).click();
    const row = page.getByRole('row', { name: /dasbor/ });
    await row.getByRole('button', { name: 'Akhiri' }).click();
    await row.getByRole('button', { name: 'Ya' }).click();
    await row.waitFor({ state: 'hidden' });

    await page.getByRole('link', { name: 'Catatan audit' }).click();
    await page.getByLabel('Oleh').fill(NAME);
    await page.getByLabel('Hasil').selectOption('done');
    await page.getByRole('button', { name: 'Saring' }).click();
    await page.getByRole('row', { name: /POST .*users.*links.*budi/ }).waitFor();
    expect(await page.getByRole('row', { name: /users.*links.*budi/ }).count()).toBe(1);
    await page.waitForURL(/oleh=ani/);
    await page.reload();
    expect(await page.getByLabel('Oleh').inputValue()).toBe(NAME);
  });

  it('lets everybody look after the own account: a second factor, its recovery codes, the password', async () => {
    const { page } = browser;
    await browser.go('/account');
    const factor = page.getByRole('region', { name: 'Faktor kedua' });
    await factor.getByLabel('Kata sandi sekarang').fill('salah sama sekali');
    await factor.getByRole('button', { name: 'Siapkan' }).click();
    await factor.getByText('tidak cocok').waitFor();
    await factor.getByLabel('Kata sandi sekarang').fill(PASSWORD);
    await factor.getByRole('button', { name: 'Siapkan' }).click();
    await factor.getByRole('img', { name: 'Kode QR untuk aplikasi autentikator' }).waitFor();
    await browser.picture('second-factor-id-dark');
    const password = page.getByRole('region', { name: 'Kata sandi' });
    await password.getByLabel('Kata sandi sekarang').fill(PASSWORD);
    await password.getByLabel('Kata sandi baru').fill('pendek');
    await password.getByRole('button', { name: 'Ganti kata sandi' }).click();
    await password.getByText('Sedikitnya 12 huruf.').waitFor();
    await password.getByLabel('Kata sandi baru').fill(`${PASSWORD}!`);
    await password.getByRole('button', { name: 'Ganti kata sandi' }).click();
    await password.getByText('Kata sandi sudah diganti').waitFor();
    // The session goes on with its new token: a further change is taken.
    await password.getByLabel('Kata sandi sekarang').fill(`${PASSWORD}!`);
    await password.getByLabel('Kata sandi baru').fill(PASSWORD);
    await password.getByRole('button', { name: 'Ganti kata sandi' }).click();
    await password.getByText('Kata sandi sudah diganti').waitFor();
    await page.getByRole('region', { name: 'Sesi saya' }).getByText('sesi ini').waitFor();
  });

  it('shows what the journal holds and how long it stays', async () => {
    const { page } = browser;
    await browser.go('/admin/health');
    const kept = page.getByRole('region', { name: 'Isi jurnal dan lama penyimpanannya' });
    await kept.getByRole('row', { name: /^settings [\d.]+ .* selamanya$/ }).waitFor();
    await kept.getByText('Basis data waktu menyimpan pembacaan: selamanya').waitFor();
  });

  it('keeps to the policy where the document of the API is shown', async () => {
    const { page } = browser;
    await browser.go('/api/docs');
    await page.getByRole('button', { name: /GET.*\/api\/v1\/readings\/envelope/ }).click();
    await page.getByText('before').first().waitFor();
    await browser.picture('api-docs');
  });

  it.each([
    ['registry', '/registry', /Pendaftaran|Registry/],
    ['sites', '/registry/sites', /Pendaftaran|Registry/],
    ['import', '/registry/import', /Pendaftaran|Registry/],
    ['topics', '/registry/topics', /Pendaftaran|Registry/],
    ['first-steps', '/first-steps?lokasi=betung&perangkat=udara-01', /Langkah pertama|First steps/],
    [
      'first-steps-maker',
      '/first-steps?lokasi=betung&perangkat=udara-01&merek=the-things-stack',
      /Langkah pertama|First steps/,
    ],
    ['users', '/admin/users', /Administrasi|Administration/],
    ['tokens', '/admin/tokens', /Administrasi|Administration/],
    ['audit', '/admin/audit', /Administrasi|Administration/],
    ['health', '/admin/health', /Administrasi|Administration/],
    ['account', '/account', /Akun saya|My account/],
  ])(
    '%s can be used by everybody, in both languages and themes, on a phone too',
    async (name, path, heading) => browser.lookAtAll(name, path, heading),
  );
});
