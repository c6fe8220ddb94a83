import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const CHROMIUM = '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Pictures for who looks at them; CI keeps the folder. */
const PICTURES = join(import.meta.dirname, '..', '..', '..', '..', 'screenshots');

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
    this.context = await this.#browser.newContext({
      viewport: { width: 1440, height: 900 },
      locale: 'id-ID',
    });
    this.page = await this.open();
    return this;
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
