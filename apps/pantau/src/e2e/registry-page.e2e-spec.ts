import { describeWith, waitUntil } from '#libs/testing';
import { hasFocus, PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung, latitude: -2.79, longitude: 104.23 }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara Betung, interval: 1m }
  - { id: udara-02, site: betung, kind: air, name: Udara Dua, interval: 1m }
`;
const PASSWORD = 'tujuh kuda di rawa';

describeWith(['chromium'], 'who may connect, in a browser', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;

  beforeAll(async () => {
    pantau = await new PantauFixture().start('', SITES);
    browser = await PageFixture.at(pantau);
    await browser.useFirstLink(pantau, PASSWORD);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
  });
  afterEach(() => {
    expect(browser.faults.splice(0)).toEqual([]);
  });

  it('makes a service account that can connect, changes it, renews its password, shuts it out and removes it', async () => {
    const { page } = browser;
    const { credentials, accounts } = pantau.engines;
    await browser.go('/registry/accounts');
    await page.getByText('Belum ada akun layanan.').waitFor();
    await page.getByRole('button', { name: 'Tambah akun layanan' }).click();
    const add = page.getByRole('dialog', { name: 'Tambah akun layanan' });
    // Of a device, and then with a topic that is none: each is said at its field, and nothing typed is lost.
    await add.getByLabel('ID').fill('udara-01');
    await add.getByLabel('Semua perangkat di lokasi').selectOption('betung');
    await add.getByRole('button', { name: 'Tambahkan' }).click();
    await add.getByRole('button', { name: 'Simpan dan buat kata sandi' }).click();
    await add.getByText('ID ini sudah terdaftar.').waitFor();
    await add.getByLabel('ID').fill('jembatan');
    await add.getByLabel('Boleh membaca').fill('pantau/#/x');
    await add.getByRole('button', { name: 'Simpan dan buat kata sandi' }).click();
    await add.locator('textarea[aria-invalid=true]').waitFor();
    expect(await add.getByLabel('Boleh mengirim ke').inputValue()).toBe('pantau/v1/betung/#');
    await add.getByLabel('Boleh membaca').fill('');
    await add.getByRole('button', { name: 'Simpan dan buat kata sandi' }).dblclick();
    const password = await add.getByLabel('Kata sandi jembatan').inputValue();
    expect(await credentials.verify('jembatan', password)).toBe(true);
    expect(await accounts.get('jembatan')).toEqual({
      ...{ id: 'jembatan', publish: ['pantau/v1/betung/#'], subscribe: [] },
    });
    await browser.picture('service-account-made-id-dark');
    await add.getByRole('button', { name: 'Tutup' }).click();

    const row = page.getByRole('row', { name: /jembatan/ });
    await row.getByRole('button', { name: 'Ubah jembatan' }).click();
    const change = page.getByRole('dialog', { name: 'Ubah jembatan' });
    await change.getByLabel('Boleh membaca').fill('$SYS/broker/uptime');
    await change.getByRole('button', { name: 'Simpan' }).click();
    await row.getByText('$SYS/broker/uptime').waitFor();

    await row.getByRole('button', { name: 'Kata sandi baru' }).click();
    await row.getByRole('button', { name: 'Ya' }).click();
    const renewed = page.getByRole('dialog', { name: 'Kata sandi jembatan' });
    const next = await renewed.getByLabel('Kata sandi jembatan').inputValue();
    expect([
      await credentials.verify('jembatan', password),
      await credentials.verify('jembatan', next),
    ]).toEqual([false, true]);
    await renewed.getByRole('button', { name: 'Tutup' }).click();

    await row.getByRole('button', { name: 'Tutup akses' }).click();
    await row.getByRole('button', { name: 'Ya' }).click();
    await row.getByText('akses ditutup').waitFor();
    expect(await credentials.verify('jembatan', next)).toBe(false);
    await row.getByRole('button', { name: 'Buka akses' }).click();
    await row.getByRole('button', { name: 'Ya' }).click();
    await row.getByText('belum ada').waitFor();
    await row.getByRole('button', { name: 'Hapus' }).click();
    await row.getByRole('button', { name: 'Ya' }).click();
    await page.getByText('Belum ada akun layanan.').waitFor();
    expect(await accounts.list()).toEqual([]);
  });

  it('gives a device a permanent password, takes it out of service and back, and nobody calls it wrong meanwhile', async () => {
    const { page } = browser;
    const { credentials } = pantau.engines;
    await browser.go('/registry');
    const row = page.getByRole('row', { name: /udara-02/ });
    await row.getByRole('button', { name: 'Kata sandi udara-02' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kata sandi udara-02' });
    await dialog.getByText('Kata sandi dan token yang lama berakhir sekarang').waitFor();
    await dialog.getByRole('button', { name: 'Buat kata sandi' }).dblclick();
    const password = await dialog.getByLabel('Kata sandi', { exact: true }).inputValue();
    expect(await credentials.verify('udara-02', password)).toBe(true);
    await dialog.getByText('tidak berakhir').waitFor();
    await browser.picture('permanent-password-id-dark');
    await dialog.getByRole('button', { name: 'Tutup' }).click();

    const wrong = page.getByRole('region', { name: 'Yang perlu diperhatikan sekarang' });
    await browser.go('/');
    await wrong.getByRole('link', { name: 'Udara Dua' }).waitFor();
    await browser.go('/registry');
    await row.getByRole('button', { name: 'Nonaktifkan' }).click();
    await row.getByText('Nonaktifkan udara-02? Ia diputus').waitFor();
    expect(await credentials.verify('udara-02', password)).toBe(true);
    await row.getByRole('button', { name: 'Ya' }).click();
    // The question has the same words.
    await row.getByText('Nonaktifkan udara-02? Ia diputus').waitFor({ state: 'detached' });
    await row.getByText(/Nonaktif.*sejak/).waitFor();
    await browser.picture('registry-out-of-service-id-dark');
    expect(await credentials.verify('udara-02', password)).toBe(false);
    await page.getByLabel('Pemakaian').selectOption('revoked');
    await page.waitForURL(/pemakaian=revoked/);
    expect(await page.getByRole('row', { name: /udara-01/ }).count()).toBe(0);
    await browser.go('/');
    await wrong.getByRole('link', { name: 'Udara Betung' }).waitFor();
    expect(await wrong.getByRole('link', { name: 'Udara Dua' }).count()).toBe(0);
    await page.getByText('Nonaktif').first().waitFor();

    await browser.go('/registry');
    await row.getByRole('button', { name: 'Pakai lagi' }).click();
    await row.getByRole('button', { name: 'Ya' }).click();
    await dialog.getByRole('button', { name: 'Buat kata sandi' }).waitFor();
    expect((await credentials.access('udara-02')).revoked).toBe(false);
  });

  it('issues passwords for a whole import and for a selection, on sheets to be printed, one page each', async () => {
    const { page } = browser;
    const { credentials } = pantau.engines;
    await browser.go('/registry/import');
    await page.getByLabel('Daftar', { exact: true }).fill('id,site\nudara-21,betung\nudara-22,betung\n');
    await page.getByRole('button', { name: 'Tambahkan 2 perangkat' }).click();
    await page.getByRole('button', { name: 'Buat kata sandi dan lembar untuk 2 perangkat' }).click();
    await page.getByRole('button', { name: 'Buat 2 kata sandi' }).dblclick();
    await page.getByText('2 dari 2 kata sandi dibuat').waitFor();
    const sheets = page.getByRole('region', { name: 'Lembar pemasangan', exact: true }).locator('.sheet');
    expect(await sheets.count()).toBe(2);
    for (const [i, id] of ['udara-21', 'udara-22'].entries()) {
      const sheet = sheets.nth(i);
      await sheet.getByRole('img', { name: `Kode QR sambungan ${id}` }).waitFor();
      const [, , , password] = await sheet.locator('dd.mono').allInnerTexts();
      expect(await credentials.verify(id, password!)).toBe(true);
      // Nowhere but on the sheet.
      const log = await pantau.get('audit?limit=100');
      expect(JSON.stringify(log)).toContain(`"device":"${id}"`);
      expect(JSON.stringify(log)).not.toContain(password);
    }
    await browser.picture('sheets-id-dark');
    expect(await browser.violations()).toEqual([]);
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)).toHaveLength(2);
    await page.emulateMedia({ media: 'print' });
    await browser.picture('sheets-print');
    await page.emulateMedia({ media: 'screen' });

    await browser.go('/registry?cari=udara-2');
    await page.getByRole('button', { name: 'Lembar untuk 2 perangkat' }).click();
    await page.getByText('Kata sandi lama perangkat ini berakhir').waitFor();
    await page.getByRole('button', { name: 'Kembali ke daftar' }).click();
    await page.getByRole('row', { name: /udara-21/ }).waitFor();
  });

  it('shows what a codec would read of a topic that nobody mapped, maps it, and unmaps it', async () => {
    const { page } = browser;
    const air = await pantau.connect('udara-01');
    const message = '{"Time":"2026-11-29T08:00:00Z","SDS0X1":{"PM2.5":12.5,"PM10":30}}';
    await air.publishAsync('tele/Gudang/SENSOR', message, { qos: 1 });
    await air.endAsync();
    await browser.go('/registry/topics');
    const row = page.getByRole('row', { name: /Gudang/ });
    await row.getByRole('button', { name: 'Petakan' }).click();
    const dialog = page.getByRole('dialog', { name: 'Perangkat mana ini?' });
    const read = dialog.getByRole('region', { name: 'Yang akan terbaca' });
    await dialog.getByLabel(/Codec/).selectOption('tasmota');
    await read.getByRole('row', { name: /PM2.5.*12,5 µg\/m³/ }).waitFor();
    await read.getByRole('row', { name: /PM10.*30 µg\/m³/ }).waitFor();
    await dialog.getByLabel(/Codec/).selectOption('ruuvi');
    await read.getByText('Codec ini tidak membaca apa pun').waitFor();
    await dialog.getByLabel('Pola topik').fill('tele/{device}/STATE');
    await dialog.locator('input[aria-invalid=true]').waitFor();
    await dialog.getByLabel('Pola topik').fill('tele/{device}/SENSOR');
    await dialog.getByLabel(/Codec/).selectOption('tasmota');
    await dialog.getByLabel('Perangkat mana ini?').selectOption('udara-02');
    await dialog.getByText('udara-01 juga didaftarkan boleh berbicara untuk udara-02').waitFor();
    await dialog.getByText('Kiriman yang sudah ditolak tidak dibaca lagi').waitFor();
    await read.getByRole('row', { name: /PM2.5.*12,5 µg\/m³/ }).waitFor();
    await browser.picture('topic-preview-id-dark');
    expect(await browser.violations()).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await browser.overflow()).toBe(0);
    await browser.picture('topic-preview-id-dark-phone');
    await page.setViewportSize({ width: 1440, height: 900 });
    // Of a dry run nothing stays.
    expect(await pantau.items('readings?device=udara-01')).toEqual([]);

    await dialog.getByRole('button', { name: 'Tambah perangkat' }).click();
    const form = dialog.getByRole('region', { name: 'Tambah perangkat' });
    await form.getByLabel('ID').fill('udara-gudang');
    await form.getByRole('button', { name: 'Simpan' }).click();
    await dialog.getByText('udara-01 juga didaftarkan boleh berbicara untuk udara-gudang').waitFor();
    await dialog.getByRole('button', { name: 'Simpan pemetaan' }).dblclick();
    await dialog.getByText('Disimpan. Kiriman berikutnya').waitFor();
    await dialog.getByRole('button', { name: 'Tutup' }).click();
    const mappings = page.getByRole('region', { name: 'Pemetaan yang berlaku' });
    await mappings.getByText('gudang → udara-gudang').waitFor();
    await row.getByText('kini dibaca: tele/{device}/SENSOR').waitFor();
    const again = await pantau.connect('udara-01');
    await again.publishAsync('tele/Gudang/SENSOR', message, { qos: 1 });
    await again.endAsync();
    await pantau.caughtUp();
    expect(await pantau.items('readings?device=udara-gudang')).toHaveLength(2);

    await mappings.getByRole('button', { name: 'Hapus' }).click();
    await mappings.getByRole('button', { name: 'Ya' }).click();
    await mappings.getByText('Belum ada pemetaan.').waitFor();
    expect(await pantau.items('mappings')).toEqual([]);
  });

  it.each([['service-accounts', '/registry/accounts', /Pendaftaran|Registry/]])(
    '%s can be used by everybody, in both languages and themes, on a phone too',
    async (name, path, heading) => {
      await pantau.engines.administration.putAccount({
        ...{ id: 'jembatan', publish: ['pantau/v1/betung/#'], subscribe: [] },
      });
      await browser.lookAtAll(name, path, heading);
    },
  );

  it('builds few of many devices at once, finds each, and shows all when asked, with the keyboard where they go on', async () => {
    const { page } = browser;
    for (let i = 0; i < 250; i++)
      await pantau.engines.registry.putDevice({
        ...{ id: `massal-${String(i).padStart(3, '0')}`, site: 'betung', kind: 'air', intervalMs: 60_000 },
        name: `Massal ${i}`,
      });
    const all = (await pantau.items('devices?limit=1000')).length;
    const rows = page.locator('main tbody tr');
    await browser.lookAtAll('registry-long', '/registry', /Pendaftaran|Registry/);
    await browser.go('/registry');
    await page.getByText(`100 dari ${all} ditampilkan`).waitFor();
    expect(await rows.count()).toBe(100);
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe(String(all + 1));
    await page.getByLabel('Cari nama atau ID').fill('massal-249');
    await page.getByRole('row', { name: /Massal 249/ }).waitFor();
    expect(await rows.count()).toBe(1);
    await page.getByLabel('Cari nama atau ID').fill('');

    const more = page.getByRole('button', { name: `Tampilkan semua ${all}` });
    await more.press('Enter');
    await waitUntil('all are there', async () => (await rows.count()) === all);
    expect(await hasFocus(rows.nth(100).getByRole('link'))).toBe(true);
    expect(await more.count()).toBe(0);
    expect(await page.getByText('ditampilkan').count()).toBe(0);
  });
});
