import type { Observation } from '#libs/telemetry';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { serving, type Served } from '../gateway.fixture.js';

const T = Date.UTC(2026, 0, 1);
const DEVICES = { 'udara-01': 'betung', 'udara-02': 'sembawa' } as const;

/** Readings with a number each, of one device after the other. */
async function append({ journal }: Served, from: number, to: number, padding = ''): Promise<void> {
  const entries = [];
  for (let n = from; n < to; n++) {
    const device = n % 2 === 0 ? 'udara-01' : 'udara-02';
    const data: Observation = {
      ...{ site: DEVICES[device] + padding, device, ts: T + n, receivedAt: T + n },
      uplink: { shard: 0, offset: n },
      readings: [{ parameter: 'pm25', value: n, flag: 1 }],
    };
    entries.push({ key: device, data });
  }
  await journal.append('readings', entries);
}

/** A connection of its own, which is read only as far as it is asked. */
class Follower {
  readonly #numbers: number[] = [];
  #hasStarted = false;
  #rest = '';

  private constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
  }

  static async follow({ url }: Served, token: string, query = ''): Promise<Follower> {
    const headers = { authorization: `Bearer ${token}` };
    const request = get(`${url}/api/v1/live?topics=readings${query}`, { headers, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const follower = new Follower(response);
    if (response.statusCode === 200) await follower.#until(() => follower.#hasStarted);
    return follower;
  }

  get status(): number | undefined {
    return this.response.statusCode;
  }

  async #until(isThere: () => boolean): Promise<void> {
    while (!isThere() && !this.response.readableEnded) {
      const chunk = this.response.read() as string | null;
      if (chunk === null) await Promise.race([once(this.response, 'readable'), once(this.response, 'end')]);
      else this.#take(chunk);
    }
  }

  #take(chunk: string): void {
    const events = (this.#rest + chunk).split('\n\n');
    this.#rest = events.pop() ?? '';
    for (const event of events) {
      this.#hasStarted ||= event.includes('event: start');
      const [, n] = /"parameter":"pm25","value":(\d+)/.exec(event) ?? [];
      if (n !== undefined) this.#numbers.push(Number(n));
    }
  }

  /** Numbers of the readings so far, when there are so many of them or the answer is over. */
  async numbers(count: number): Promise<readonly number[]> {
    await this.#until(() => this.#numbers.length >= count);
    return this.#numbers;
  }

  stop(): void {
    this.response.destroy();
  }
}

const even = (to: number): number[] => Array.from({ length: to / 2 }, (_, i) => 2 * i);
const all = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

describe('GET /api/v1/live', () => {
  it('sends a token that is limited to sites what is of them, beside one who is sent everything', () =>
    serving({}, async (served) => {
      const { tokens, registry } = served;
      for (const [id, site] of Object.entries(DEVICES)) {
        await registry.putSite({ id: site, name: site });
        await registry.putDevice({ id, site, kind: 'air', name: id, intervalMs: 60_000 });
      }
      const everywhere = await tokens.create('everywhere', ['read']);
      const betung = await tokens.create('betung', ['read'], undefined, undefined, ['betung']);
      for (const query of ['', '&site=sembawa', '&device=udara-02', '&site=betung&device=udara-02'])
        expect([query, (await Follower.follow(served, betung, query)).status]).toEqual([query, 403]);
      const ofAll = await Follower.follow(served, everywhere);
      const ofSite = await Follower.follow(served, betung, '&site=betung');
      const ofDevice = await Follower.follow(served, betung, '&device=udara-01');
      await append(served, 0, 100);
      expect(await ofAll.numbers(100)).toEqual(all(100));
      expect(await ofSite.numbers(50)).toEqual(even(100));
      expect(await ofDevice.numbers(50)).toEqual(even(100));
      for (const follower of [ofAll, ofSite, ofDevice]) follower.stop();
    }));

  it('goes on for others while one takes nothing and one hangs up, and gives the slow one all of it once', () =>
    serving({}, async (served) => {
      const token = await served.tokens.create('spec', ['read']);
      const [slow, leaving, quick] = [
        await Follower.follow(served, token),
        await Follower.follow(served, token),
        await Follower.follow(served, token),
      ];
      // Far more than sockets hold.
      const total = 12_000;
      const padding = '-'.repeat(1_000);
      for (let n = 0; n < total; n += 500) {
        await append(served, n, n + 500, padding);
        if (n === 2_000) leaving.stop();
        expect((await quick.numbers(n + 500)).length).toBe(n + 500);
      }
      expect(await slow.numbers(total)).toEqual(all(total));
      for (const follower of [slow, quick]) follower.stop();
    }));

  it(
    'ends for one whose token was revoked and goes on for the others',
    () =>
      serving({}, async (served) => {
        const { tokens } = served;
        const [stays, goes] = [await tokens.create('stays', ['read']), await tokens.create('goes', ['read'])];
        const [staying, going] = [await Follower.follow(served, stays), await Follower.follow(served, goes)];
        await append(served, 0, 2);
        expect([await staying.numbers(2), await going.numbers(2)]).toEqual([all(2), all(2)]);
        await tokens.revoke('goes');
        await once(going.response.resume(), 'close').catch(() => undefined);
        await append(served, 2, 4);
        expect(await staying.numbers(4)).toEqual(all(4));
        expect(await going.numbers(2)).toEqual(all(2));
        staying.stop();
      }),
    30_000,
  );
});
