import { describeWith, temporaryFolder, waitUntil } from '#libs/testing';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { copyProgram } from '../built.fixture.js';
import { PageFixture } from './page.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const PATIENCE = 60_000;
const NEW = 'Ada versi baru halaman ini.';

/** A build whose first stylesheet says something else, and so has another name. */
function rebuild(page: string, count: number): string {
  const index = join(page, 'index.html');
  const html = readFileSync(index, 'utf8');
  const [, before = ''] = /href="\.\/assets\/(index-[^"]+)\.css"/.exec(html)!;
  const after = `index-build${count}`;
  const assets = join(page, 'assets');
  for (const name of readdirSync(assets))
    if (name.startsWith(`${before}.css`))
      renameSync(join(assets, name), join(assets, name.replace(before, after)));
  writeFileSync(index, html.replaceAll(`${before}.css`, `${after}.css`));
  return `${after}.css`;
}

/** Whether a page was loaded with a file. */
const isLoadedWith = async (page: Page, file: string): Promise<boolean> =>
  (await page.locator(`link[rel=stylesheet][href$="/${file}"]`).count()) === 1;

describeWith(['chromium'], 'a new version of the page on the server', () => {
  const folder = temporaryFolder('version');
  const program = copyProgram(folder.path);
  let pantau: PantauFixture;
  let browser: PageFixture;
  let wall: Page;

  beforeAll(async () => {
    pantau = await new PantauFixture(program.main).start();
    browser = await PageFixture.at(pantau);
    await browser.useFirstLink(pantau, 'tujuh kuda di rawa');
    const token = await pantau.engines.tokens.create('dinding', ['display']);
    // Another browser, in which nobody signed in.
    const screen = await browser.another();
    wall = screen.page;
    await wall.goto(`${browser.address}/layar?ganti=0#${token}`);
    await wall.getByText('Kamera 1').first().waitFor();
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await pantau[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  it('is not offered after a restart of the same one', async () => {
    const { page } = browser;
    const mark = `window.isTheSame = true`;
    await page.evaluate(mark);
    await wall.evaluate(mark);
    const asked = Promise.all(
      [page, wall].map(async (one) =>
        one.waitForResponse((response) => new URL(response.url()).pathname === '/', {
          timeout: 2 * PATIENCE,
        }),
      ),
    );
    await pantau.restart();
    await asked;
    expect(await page.getByText(NEW).count()).toBe(0);
    expect(await page.evaluate<boolean>('isTheSame')).toBe(true);
    expect(await wall.evaluate<boolean>('isTheSame')).toBe(true);
  }, 240_000);

  it('is loaded by a screen on a wall by itself, and offered to who works on a page, who keeps what he typed until then', async () => {
    const { page } = browser;
    await browser.go('/first-steps');
    await page.getByRole('button', { name: 'Lokasi baru' }).click();
    const field = page.getByRole('dialog').getByRole('textbox').first();
    await field.fill('sedang-mengetik');
    const file = rebuild(program.page, 1);
    expect(await isLoadedWith(page, file)).toBe(false);
    await pantau.restart();

    await waitUntil('the screen has it', async () => isLoadedWith(wall, file), PATIENCE);
    await wall.getByText('Kamera 1').first().waitFor();
    await page.getByText(NEW).waitFor({ state: 'attached', timeout: PATIENCE });
    expect(await field.inputValue()).toBe('sedang-mengetik');
    expect(await isLoadedWith(page, file)).toBe(false);
    await page.keyboard.press('Escape');
    await page.getByText(NEW).waitFor();
    await browser.picture('new-version-id-dark');
    expect(await browser.violations()).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await browser.overflow()).toBe(0);
    await browser.picture('new-version-id-dark-phone');
    await page.setViewportSize({ width: 1440, height: 900 });

    await page.getByRole('button', { name: 'Muat ulang' }).click();
    await waitUntil('the page has it', async () => isLoadedWith(page, file), PATIENCE);
    await page.getByRole('heading', { name: 'Langkah pertama' }).waitFor();
    expect(await page.getByText(NEW).count()).toBe(0);
    expect(new URL(page.url()).pathname).toBe('/first-steps');
  });

  it('is found by a screen that noticed no restart', async () => {
    const file = rebuild(program.page, 2);
    // Its questions are answered all the time.
    const answers = new Map<string, object>();
    for (const path of ['display', 'health'])
      answers.set(
        path,
        (await (await wall.waitForResponse(`**/api/v1/${path}`, { timeout: PATIENCE })).json()) as object,
      );
    await wall.route('**/api/v1/*', (route) => {
      const json = answers.get(new URL(route.request().url()).pathname.split('/').at(-1) ?? '');
      return route.fulfill({ json });
    });
    await pantau.restart();
    await wall.unroute('**/api/v1/*');
    await waitUntil('the screen has it', async () => isLoadedWith(wall, file), 2 * PATIENCE);
  }, 240_000);
});
