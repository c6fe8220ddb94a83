import { waitUntil } from '#libs/testing';
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const CHROMIUM = '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Pictures for who looks at them; CI keeps the folder. */
const PICTURES = join(import.meta.dirname, '..', '..', '..', '..', 'screenshots');

const MOST_TABS = 200;

/** Whether something has the focus. */
export const hasFocus = (locator: Locator): Promise<boolean> =>
  locator.evaluate(
    (element: { readonly ownerDocument: { readonly activeElement: unknown } }) =>
      element === element.ownerDocument.activeElement,
  );

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** A real browser at the page of Pantau, which writes down whatever the page does wrong. */
export class PageFixture implements AsyncDisposable {
  #browser!: Browser;
  context!: BrowserContext;
  page!: Page;
  /** Errors of scripts, and what the policy of the page refused. */
  readonly faults: string[] = [];

  constructor(readonly address: string) {}

  async start(): Promise<this> {
    this.#browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    return this.#begin(this.#browser);
  }

  /** Somebody else with a browser of his own, who shares nothing with this one. It ends with this one. */
  async another(): Promise<PageFixture> {
    const other = new PageFixture(this.address);
    return other.#begin(this.#browser);
  }

  async #begin(browser: Browser): Promise<this> {
    this.context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      locale: 'id-ID',
    });
    this.page = await this.open();
    return this;
  }

  /** A browser at the page of a running Pantau. */
  static async at({ api }: { readonly api: string }): Promise<PageFixture> {
    return new PageFixture(api.replace(/\/api$/, '')).start();
  }

  /** The first administrator is in, by the link that the start printed. */
  async useFirstLink(
    { printed }: { readonly printed: string },
    password: string,
    name = 'ani',
  ): Promise<void> {
    await this.useLink(/http:\S+\/link#\S+/.exec(printed)![0], password, name);
    await this.page.getByRole('heading', { name: 'Ikhtisar' }).waitFor();
  }

  /** Sets a password with a one-time link, and is in. @param name - of the first administrator, who chooses it */
  async useLink(link: string, password: string, name = ''): Promise<void> {
    const { page } = this;
    await page.goto(link);
    await page.getByLabel(/Nama pengguna/).fill(name);
    await page.getByLabel('Kata sandi baru').fill(password);
    await page.getByRole('button', { name: 'Tetapkan kata sandi' }).click();
    await page.getByRole('button', { name: 'Keluar' }).waitFor();
  }

  async signIn(name: string, password: string): Promise<void> {
    const { page } = this;
    await page.getByLabel('Nama pengguna').fill(name);
    await page.getByLabel('Kata sandi').fill(password);
    await page.getByRole('button', { name: 'Masuk', exact: true }).click();
  }

  /** Presses Tab until something has the focus, as somebody does who has no mouse. */
  async tabTo(locator: Locator): Promise<void> {
    for (let pressed = 0; pressed < MOST_TABS; pressed++) {
      if (await hasFocus(locator)) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`${String(locator)} is not reached with ${MOST_TABS} tabs`);
  }

  /** A further tab of the same browser. */
  async open(): Promise<Page> {
    const page = await this.context.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      const text = message.text();
      if (/Content Security Policy|Refused to/.test(text)) this.faults.push(text);
    });
    page.on('dialog', (dialog) => {
      this.faults.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return page;
  }

  async go(path: string): Promise<void> {
    await this.page.goto(`${this.address}${path}`);
  }

  /** What somebody who cannot see, or not well, would stumble over. */
  async violations(): Promise<string[]> {
    await this.page.evaluate(AXE);
    // What fades in has not its contrast yet.
    await this.page.evaluate(
      `for (const one of document.getAnimations()) if (one.effect.getComputedTiming().endTime < Infinity) one.finish()`,
    );
    const found = await this.page.evaluate<Violation[]>(
      `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)`,
    );
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
    );
  }

  /** How much wider what is shown is than the window. */
  async overflow(): Promise<number> {
    return this.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  }

  /** Looks at a page as everybody does, both languages and themes, on a phone too, and takes a picture of each. */
  async lookAtAll(name: string, path: string, heading: RegExp, pending = '.loading'): Promise<void> {
    const { page } = this;
    await this.go(path);
    for (const [language, theme] of [
      ['id', 'dark'],
      ['en', 'light'],
    ] as const) {
      await this.choose(language, theme);
      await page.getByRole('heading', { name: heading }).first().waitFor();
      await waitUntil('all is loaded', async () => (await page.locator(pending).count()) === 0);
      await this.picture(`${name}-${language}-${theme}`);
      expect(await this.violations()).toEqual([]);
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await this.overflow()).toBe(0);
      await this.picture(`${name}-${language}-${theme}-phone`);
      await page.setViewportSize({ width: 1440, height: 900 });
    }
    await this.choose('id', 'dark');
  }

  async choose(language: 'id' | 'en', theme: 'dark' | 'light'): Promise<void> {
    await this.page.evaluate(
      `localStorage.setItem('pantau.language', '${language}'); localStorage.setItem('pantau.theme', '${theme}')`,
    );
    await this.page.reload();
  }

  async picture(name: string): Promise<void> {
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({
      path: join(PICTURES, `${name}.png`),
      fullPage: true,
      animations: 'disabled',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
