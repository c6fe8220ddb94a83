import { describeWith, waitUntil } from '#libs/testing';
import type { MqttClient } from 'mqtt';
import { hasFocus, PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung, latitude: -2.79, longitude: 104.23 }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara Betung, interval: 1m }
  - { id: udara-02, site: betung, kind: air, name: Udara Sembawa, interval: 1m }
`;
const PASSWORD = 'tujuh kuda di rawa';
/** Of what a device does to be shown. */
const PATIENCE = 40_000;

describeWith(['chromium'], 'work with devices in a browser', () => {
  let pantau: PantauFixture;
  let browser: PageFixture;
  let device: MqttClient;
  const people: PageFixture[] = [];

  beforeAll(async () => {
    pantau = await new PantauFixture().start('', SITES);
    browser = await PageFixture.at(pantau);
    people.push(browser);
    await browser.useFirstLink(pantau, PASSWORD);
    device = await pantau.connect('udara-01');
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
  });
  afterEach(() => {
    expect(people.flatMap(({ faults }) => faults.splice(0))).toEqual([]);
  });

  /** Somebody of a role, who is in with a browser of his own. */
  async function person(name: string, role: 'viewer' | 'operator' | 'evaluator' | 'administrator') {
    await pantau.engines.users.put(name, { role, disabled: false });
    const other = await browser.another();
    people.push(other);
    await other.useLink(`${other.address}/link#${await pantau.engines.users.link(name)}`, PASSWORD);
    return other;
  }
  const publish = (topic: string, payload: string) =>
    device.publishAsync(`pantau/v1/betung/${topic}`, payload, { qos: 1 });

  it('shows the last messages as they came, and what became of each', async () => {
    const { page } = browser;
    await publish(
      'udara-01/telemetry',
      `{"ts":"${new Date().toISOString()}","values":{"pm25":12.5,"bising":60}}`,
    );
    await publish('udara-01/telemetry', '<b>bukan json</b>');
    await publish('udara-02/telemetry', '{"values":{"pm25":1}}');
    await pantau.caughtUp();
    // Refusals at the door are counted together, and written then.
    await waitUntil(
      'the refusal at the door is written',
      async () => (await pantau.items('rejected?reason=topic_not_allowed')).length > 0,
      PATIENCE,
    );
    await browser.go('/perangkat/udara-01');
    const messages = page.getByRole('region', { name: 'Kiriman terakhir' });
    const refused = messages.getByRole('listitem').filter({ hasText: 'Ditolak' });
    await messages.getByText('Ditolak sebelum masuk').waitFor();
    const notJson = refused.filter({ hasText: 'Bukan JSON' });
    await notJson.getByText('Perbaiki programnya').waitFor();
    await notJson.getByText('Isi asli').click();
    await notJson.getByText('<b>bukan json</b>', { exact: true }).waitFor();
    await notJson.getByText(/62 75 6b 61 6e/).waitFor({ state: 'attached' });
    const read = messages.getByRole('listitem').filter({ hasText: 'Menjadi pembacaan' });
    await read.getByText('12,5').waitFor();
    // One value of it was refused, with the same words as on the page of refusals.
    await read.getByText(/→ /).first().waitFor();
    // One that comes meanwhile waits behind a counter.
    await publish('udara-01/heartbeat', `{"ts":"${new Date().toISOString()}","state":"up"}`);
    await messages.getByRole('button', { name: '1 baru: tampilkan' }).click({ timeout: PATIENCE });
    await messages.getByText('Menjadi tanda hidup').waitFor();
    await browser.picture('device-messages-id-dark');
    await notJson.getByRole('link', { name: /^uplink/ }).click();
    await page.getByRole('heading', { name: /^Entri jurnal: uplink/ }).waitFor();
  });

  it('sends a command once however often it is pressed, and shows live what became of it', async () => {
    const { page } = browser;
    const received: { id: string; name: string; params: unknown }[] = [];
    device.on('message', (_topic, payload) => received.push(JSON.parse(payload.toString()) as never));
    await device.subscribeAsync('pantau/v1/betung/udara-01/cmd/#', { qos: 1 });
    await browser.go('/perangkat/udara-01');
    const commands = page.getByRole('region', { name: 'Perintah', exact: true });
    await commands.getByRole('button', { name: 'Kirim perintah' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kirim perintah ke Udara Betung' });
    await dialog.getByRole('button', { name: 'Kirim perintah' }).click();
    await dialog.getByText('Tulis nama perintahnya.').waitFor();
    await dialog.getByLabel('Perintah', { exact: true }).fill('reboot');
    await dialog.getByLabel('Parameter (JSON, boleh kosong)').fill('{ delay: 5 }');
    await dialog.getByRole('button', { name: 'Kirim perintah' }).click();
    await dialog.getByText(/^Bukan JSON/).waitFor();
    await dialog.getByLabel('Parameter (JSON, boleh kosong)').fill('{ "delay": 5 }');
    await browser.picture('send-command-id-dark');
    expect(await browser.violations()).toEqual([]);
    await dialog.getByRole('button', { name: 'Kirim perintah' }).dblclick();
    await commands.getByText('sampai', { exact: true }).waitFor({ timeout: PATIENCE });
    expect(received).toMatchObject([{ name: 'reboot', params: { delay: 5 } }]);
    // Somebody else sees it, too, while the device answers.
    const other = await person('citra', 'viewer');
    await other.go('/perangkat/udara-01');
    const seen = other.page.getByRole('region', { name: 'Perintah', exact: true });
    await seen.getByText('oleh ani').waitFor();
    expect(await seen.getByRole('button', { name: 'Kirim perintah' }).count()).toBe(0);
    await publish(
      'udara-01/result',
      JSON.stringify({ ts: new Date().toISOString(), id: received[0]!.id, state: 'done', detail: 'siap' }),
    );
    for (const region of [commands, seen])
      await region.getByText('Kata perangkat: siap').waitFor({ timeout: PATIENCE });
    expect((await pantau.items('devices/udara-01/commands')).length).toBe(1);
  });

  it('changes the configuration of a device, and shows what somebody else changed meanwhile', async () => {
    const [first, second] = [browser, await person('dodi', 'operator')];
    const open = async (one: PageFixture) => {
      await one.go('/perangkat/udara-01');
      const card = one.page.getByRole('region', { name: 'Konfigurasi' });
      await card.getByRole('button', { name: 'Ubah konfigurasi' }).click();
      return one.page.getByRole('dialog', { name: 'Konfigurasi Udara Betung' });
    };
    const mine = await open(first);
    const theirs = await open(second);
    await mine.getByLabel('Konfigurasi (JSON)').fill('[1]');
    await mine.getByRole('button', { name: 'Simpan' }).click();
    await mine.getByText('Harus objek JSON').waitFor();
    await mine.getByLabel('Konfigurasi (JSON)').fill('{ "interval": 60 }');
    await mine.getByRole('button', { name: 'Simpan' }).dblclick();
    await first.page.getByRole('region', { name: 'Konfigurasi' }).getByText('"interval": 60').waitFor();
    // There was none when the other one began.
    await theirs.getByLabel('Konfigurasi (JSON)').fill('{ "interval": 30 }');
    await theirs.getByRole('button', { name: 'Simpan' }).click();
    await theirs.getByText('orang lain membuat konfigurasi').waitFor();
    expect(await theirs.getByLabel('Konfigurasi (JSON)').inputValue()).toBe('{ "interval": 30 }');
    await theirs.getByRole('button', { name: 'Simpan' }).click();
    await second.page.getByRole('region', { name: 'Konfigurasi' }).getByText('"interval": 30').waitFor();
    const again = await open(first);
    expect(JSON.parse(await again.getByLabel('Konfigurasi (JSON)').inputValue())).toEqual({ interval: 30 });
    await pantau.send('PUT', 'devices/udara-01/configuration', { interval: 10, led: 'off' });
    await pantau.caughtUp();
    await again.getByLabel('Konfigurasi (JSON)').fill('{ "interval": 20 }');
    await again.getByRole('button', { name: 'Simpan' }).click();
    await again.getByText('Sementara itu orang lain mengubahnya').waitFor();
    await again.getByRole('listitem').filter({ hasText: 'led' }).getByText('off').waitFor();
    await first.picture('configuration-conflict-id-dark');
    expect(await first.violations()).toEqual([]);
    await again.getByRole('button', { name: 'Simpan' }).click();
    const card = first.page.getByRole('region', { name: 'Konfigurasi' });
    await card.getByText('"interval": 20').waitFor();
    await card.getByRole('button', { name: 'Tarik konfigurasi' }).click();
    await card.getByRole('button', { name: 'Ya' }).click();
    await card.getByText('Belum ada konfigurasi').waitFor();
  });

  it.each([
    ['site', '/registry/sites', 'Betung', 'Nama', 'Betung Baru', 'Betung Lama'],
    ['device', '/registry', 'udara-02', 'Nama', 'Udara Baru', 'Udara Lama'],
  ])(
    'shows whoever changes a %s what another browser changed meanwhile, and loses nothing that was typed',
    async (_what, path, row, field, quick, slow) => {
      const other = await person(`edi-${row.toLowerCase()}`, 'administrator');
      const open = async (one: PageFixture) => {
        await one.go(path);
        await one.page
          .getByRole('row', { name: new RegExp(row) })
          .getByRole('button', { name: /^Ubah/ })
          .click();
        const dialog = one.page.getByRole('dialog');
        await dialog.getByLabel(field, { exact: true }).waitFor();
        return dialog;
      };
      const mine = await open(browser);
      const theirs = await open(other);
      await theirs.getByLabel(field, { exact: true }).fill(quick);
      await theirs.getByRole('button', { name: 'Simpan' }).click();
      await theirs.waitFor({ state: 'hidden' });
      await mine.getByLabel(field, { exact: true }).fill(slow);
      await mine.getByRole('button', { name: 'Simpan' }).click();
      await mine.getByText('Sementara itu orang lain mengubahnya').waitFor();
      await mine.getByText(quick).waitFor();
      expect(await mine.getByLabel(field, { exact: true }).inputValue()).toBe(slow);
      await mine.getByRole('button', { name: 'Simpan' }).click();
      await mine.waitFor({ state: 'hidden' });
      await browser.page
        .getByRole('row', { name: new RegExp(slow) })
        .first()
        .waitFor();
    },
  );

  it('brings back whose session ended amid a form, who then goes on with what was typed', async () => {
    const { page } = browser;
    await browser.go('/perangkat/udara-02?rentang=6j');
    await page.getByRole('button', { name: 'Kirim perintah' }).click();
    const dialog = page.getByRole('dialog', { name: /^Kirim perintah/ });
    await dialog.getByLabel('Perintah', { exact: true }).fill('kalibrasi');
    const { sessions, users } = pantau.engines;
    for (const { id } of await sessions.list(await users.get('ani'))) await sessions.end('ani', id);
    await page.getByRole('heading', { name: 'Sesi Anda berakhir' }).waitFor();
    const again = page.getByRole('dialog', { name: 'Sesi Anda berakhir' });
    await again.getByLabel('Kata sandi').fill(PASSWORD);
    await again.getByRole('button', { name: 'Masuk', exact: true }).click();
    await again.waitFor({ state: 'hidden' });
    expect(page.url()).toContain('/perangkat/udara-02?rentang=6j');
    expect(await dialog.getByLabel('Perintah', { exact: true }).inputValue()).toBe('kalibrasi');
    await dialog.getByRole('button', { name: 'Kirim perintah' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByText('kalibrasi', { exact: true }).first().waitFor();
  });

  it('says how a device logs in, gives it a new password on a sheet, and takes it out of service and back', async () => {
    const { page } = browser;
    await browser.go('/perangkat/udara-02');
    const login = page.getByRole('region', { name: 'Cara masuk perangkat ini' });
    await login.getByText('tidak ada yang tetap').waitFor();
    await login.getByRole('button', { name: 'Kata sandi baru dan lembarnya' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kata sandi udara-02' });
    await dialog.getByRole('button', { name: 'Buat kata sandi' }).click();
    await dialog.getByRole('region', { name: /udara-02/ }).waitFor();
    await page.emulateMedia({ media: 'print' });
    await login.waitFor({ state: 'hidden' });
    await dialog.getByRole('region', { name: /udara-02/ }).waitFor();
    await page.emulateMedia({ media: null });
    await page.keyboard.press('Escape');
    await login.getByText('tetap, tanpa batas waktu').waitFor();
    await browser.picture('device-login-id-dark');

    await login.getByRole('button', { name: 'Nonaktifkan' }).click();
    await login.getByRole('button', { name: 'Ya', exact: true }).click();
    await login.getByText('tidak ada yang tetap').waitFor();
    expect((await pantau.get('devices/udara-02/access')).body).toMatchObject({ service: 'revoked' });
    await login.getByRole('button', { name: 'Pakai lagi' }).click();
    await login.getByRole('button', { name: 'Ya', exact: true }).click();
    // It needs a new password then.
    await dialog.getByRole('button', { name: 'Buat kata sandi' }).waitFor();
    await page.keyboard.press('Escape');
    await login.getByText('dipakai', { exact: true }).waitFor();
    expect((await pantau.get('devices/udara-02/access')).body).toMatchObject({ service: 'open' });
  });

  it('shows the login of a device to whoever may register devices alone', async () => {
    const viewer = await person('joko', 'viewer');
    const { page } = viewer;
    await viewer.go('/perangkat/udara-02');
    await page.getByRole('heading', { name: /^Udara/ }).waitFor();
    await page.getByRole('region', { name: 'Perintah' }).waitFor();
    expect(await page.getByRole('region', { name: 'Cara masuk perangkat ini' }).count()).toBe(0);
  });

  describe('by keyboard alone', () => {
    it('a viewer finds a device and looks at its week', async () => {
      const { page, tabTo } = bound(await person('fitri', 'viewer'));
      await page.keyboard.press('Control+k');
      await page.keyboard.type('udara bet');
      await page.getByRole('option', { name: /Udara Betung/ }).waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Udara Betung' }).waitFor();
      await tabTo(page.getByRole('button', { name: '7 hari' }));
      await page.keyboard.press('Enter');
      await page.waitForURL(/rentang=7h/);
    });

    it('an operator sends a command', async () => {
      const { page, tabTo } = bound(await person('gani', 'operator'));
      await page.keyboard.press('Control+k');
      await page.keyboard.type('udara-01');
      await page.getByRole('option', { name: /Udara Betung/ }).waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Udara Betung' }).waitFor();
      const button = page.getByRole('button', { name: 'Kirim perintah' });
      await button.waitFor();
      await tabTo(button);
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: /^Kirim perintah/ });
      await tabTo(dialog.getByLabel('Perintah', { exact: true }));
      await page.keyboard.type('lampu');
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'hidden' });
      // The focus is back where it was.
      expect(await hasFocus(button)).toBe(true);
      await page.getByText('oleh gani').waitFor({ timeout: PATIENCE });
    });

    it('an evaluator goes from what was refused down to the entry of the journal', async () => {
      const { page, tabTo } = bound(await person('hana', 'evaluator'));
      await tabTo(page.getByRole('link', { name: 'Ditolak', exact: true }));
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Yang ditolak' }).waitFor();
      const entry = page.getByRole('link', { name: /^Entri jurnal \d/ }).first();
      await entry.waitFor();
      await tabTo(entry);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: /^Entri jurnal: rejected/ }).waitFor();
    });

    it('an administrator adds a site', async () => {
      const { page, tabTo } = bound(await person('indra', 'administrator'));
      await tabTo(page.getByRole('link', { name: 'Pendaftaran', exact: true }));
      await page.keyboard.press('Enter');
      const sites = page.getByRole('link', { name: 'Lokasi', exact: true });
      await sites.waitFor();
      await tabTo(sites);
      await page.keyboard.press('Enter');
      const add = page.getByRole('button', { name: 'Tambah lokasi' });
      await add.waitFor();
      await tabTo(add);
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Tambah lokasi' });
      await tabTo(dialog.getByLabel('ID'));
      await page.keyboard.type('suak-tapeh');
      await page.keyboard.press('Tab');
      await page.keyboard.type('Suak Tapeh');
      await page.keyboard.press('Enter');
      await page.getByRole('row', { name: /suak-tapeh/ }).waitFor();
    });
  });
});

/** The page, and the way to what is on it by keyboard. */
function bound(one: PageFixture) {
  return { page: one.page, tabTo: one.tabTo.bind(one) };
}
