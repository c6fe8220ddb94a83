import { permissionsOf, ROLES, type Permission } from '#libs/identity';
import fc from 'fast-check';
import { Browser } from './browser.fixture.js';
import { DescribedAnswers, type ApiDescription } from './described-answers.fixture.js';
import { requestsFor, Sender, type FuzzedDocument, type FuzzedRequest } from './fuzz.fixture.js';
import { Values } from './fuzz-values.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

/** For how long, over all routes. `PANTAU_FUZZ_SECONDS=600 PANTAU_FUZZ_SEED=7` looks longer and elsewhere. */
const SECONDS = Number(process.env['PANTAU_FUZZ_SECONDS'] ?? 25);
const SEED = Number(process.env['PANTAU_FUZZ_SEED'] ?? 17);

const PASSWORD = 'tujuh kuda di rawa';
/** Each may ask two thousand times at once and fifty times a second. */
const TOKENS_OF_ADMINISTRATORS = Math.max(6, Math.ceil(SECONDS / 10));
const KNOWN = {
  ...{
    device: ['udara-01', 'cctv-01'],
    site: ['betung'],
    parameter: ['pm25'],
    subject: ['udara-01', 'betung'],
  },
  ...{
    indicator: ['env.aq.pm25_daily_mean'],
    period: ['2026-01-01', '2026-01'],
    user: ['budi'],
    rule: ['pm25'],
  },
  ...{ shard: ['0', '1'], offset: ['0', '1'], limit: ['1', '2', '10000'], stream: ['uplink', 'rejected'] },
};

/** Who may ask what no token of a role opens. */
const HOLDERS = { '/api/v1/uplinks': 'device', '/api/v1/display': 'display' };

let pantau: PantauFixture;
beforeAll(async () => {
  pantau = await new PantauFixture().start();
}, 90_000);
afterAll(async () => {
  await pantau[Symbol.asyncDispose]();
});

type Credentials = () => Promise<Readonly<Record<string, string>>>;

/** Who asks: nobody, everybody who may, and the device that posts. */
async function holders(browser: Browser): Promise<Readonly<Record<string, Credentials>>> {
  const token = async (name: string, scopes: readonly Permission[]): Promise<Credentials> => {
    const made = await pantau.engines.tokens.create(name, scopes);
    return async () => ({ authorization: `Bearer ${made}` });
  };
  const all: Record<string, Credentials> = { nobody: async () => ({}) };
  for (const role of ROLES) all[role] = await token(`fuzz-${role}`, permissionsOf(role, 'token'));
  all['display'] = await token('fuzz-display', ['display']);
  const administrators: Credentials[] = [];
  for (let i = 0; i < TOKENS_OF_ADMINISTRATORS; i++)
    administrators.push(await token(`fuzz-administrator-${i}`, permissionsOf('administrator', 'token')));
  let turn = 0;
  all['administrator'] = async () => administrators[turn++ % administrators.length]!();
  // Some routes end sessions, its own among them.
  all['session'] = async () => {
    if ((await browser.send('GET', 'session')).status === 401) await browser.signIn('ani', PASSWORD);
    return { cookie: browser.cookie, 'x-csrf-token': browser.csrfToken };
  };
  const password = await pantau.engines.credentials.issue('udara-01');
  const basic = Buffer.from(`udara-01:${password}`).toString('base64');
  all['device'] = async () => ({ authorization: `Basic ${basic}` });
  return all;
}

describe('every route of the OpenAPI document', () => {
  it(
    `answers whatever it is asked with what the document describes, and has no fault (seed ${SEED}, ${SECONDS} s)`,
    async () => {
      const device = await pantau.connect('udara-01');
      const now = Date.now();
      for (let i = 0; i < 20; i++) {
        const ts = new Date(now - i * 60_000).toISOString();
        const payload = i % 5 === 0 ? 'x' : JSON.stringify({ ts, values: { pm25: 10 + i, pm10: 20 } });
        await device.publishAsync('pantau/v1/betung/udara-01/telemetry', payload, { qos: 1 });
        await device.publishAsync(`elsewhere/${i}`, payload, { qos: 1 });
      }
      await pantau.caughtUp();
      const browser = new Browser(pantau.api);
      const [, link = ''] = /first administrator: \S+\/link#(\S+)/.exec(pantau.printed) ?? [];
      await browser.send('POST', 'links', { link, name: 'ani', password: PASSWORD });
      await browser.signIn('ani', PASSWORD);
      await browser.send('PUT', 'users/budi', { role: 'operator' });
      const credentials = await holders(browser);

      const origin = new URL(pantau.api).origin;
      const document = (await (await fetch(`${pantau.api}/docs-json`)).json()) as FuzzedDocument &
        ApiDescription;
      const described = new DescribedAnswers(document);
      const values = new Values(document.components?.schemas ?? {}, KNOWN);
      const sender = new Sender(origin);
      const operations = Object.entries(document.paths).flatMap(([path, ofPath]) =>
        Object.entries(ofPath).map(([method, operation]) => ({ path, method, operation })),
      );

      /** What is wrong with the answer. */
      const faultOf = async (request: FuzzedRequest): Promise<string | undefined> => {
        const answer = await sender
          .send(request, await credentials[request.holder]!())
          .catch((error: unknown) => ({
            ...{ status: 0, type: '', body: String(error) },
          }));
        const { status, type, body } = answer;
        if (status === 0 || status >= 500) return `${status} ${body.slice(0, 300)}`;
        if (status >= 400 && request.method !== 'HEAD' && !type.startsWith('application/problem+json'))
          return `${status} is no problem document: ${type}`;
        return described.faultOf(request.method, request.path, answer);
      };

      const faults: string[] = [];
      let asked = 0;
      for (const { path, method, operation } of operations) {
        const [holder = 'administrator'] = Object.entries(HOLDERS).flatMap(([start, one]) =>
          path.startsWith(start) ? [one] : [],
        );
        const who = [...Array<string>(7).fill(holder), 'session', 'session', ...ROLES, 'nobody'];
        const property = fc.asyncProperty(
          requestsFor(values, path, method, operation, who),
          async (request) => {
            asked++;
            const fault = await faultOf(request);
            if (fault !== undefined) throw new Error(fault);
          },
        );
        const result = await fc.check(property, {
          ...{ seed: SEED, numRuns: 1_000_000, markInterruptAsFailure: false },
          interruptAfterTimeLimit: (SECONDS * 1_000) / operations.length,
        });
        const { counterexample, errorInstance } = result;
        if (counterexample === null) continue;
        const { message } = errorInstance as Error;
        const request = JSON.stringify(counterexample[0]).slice(0, 500);
        faults.push(`${method.toUpperCase()} ${path}: ${message.slice(0, 300)}\n  ${request}`);
      }
      sender.close();
      expect(faults).toEqual([]);
      expect(asked).toBeGreaterThan(5 * operations.length);
    },
    2_000 * SECONDS + 90_000,
  );
});
