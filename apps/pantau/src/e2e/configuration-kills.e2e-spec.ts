import { repetitions, waitUntil } from '#libs/testing';
import { PantauFixture } from './pantau.fixture.js';

const KILLS = repetitions(5);
const DEVICES = Array.from({ length: 20 }, (_, i) => `udara-${String(i + 1).padStart(2, '0')}`);
const SITES = [
  'sites:',
  '  - { id: betung, name: Betung, district: Betung }',
  'devices:',
  ...DEVICES.map((id) => `  - { id: ${id}, site: betung, kind: air, name: U, interval: 1m }`),
].join('\n');

interface Answered {
  readonly status: number;
  readonly etag: string | null;
  readonly body: { readonly configuration?: { readonly n: number } };
}

it('is killed while configurations are changed, and each can be changed by who sees it afterwards', async () => {
  await using pantau = new PantauFixture();
  await pantau.start('', `${SITES}\n`);
  const ask = async (device: string, change?: { n: number; etag: string | null }): Promise<Answered> => {
    const response = await fetch(`${pantau.api}/v1/devices/${device}/configuration`, {
      method: change === undefined ? 'GET' : 'PUT',
      headers: {
        authorization: `Bearer ${pantau.token}`,
        ...(change === undefined ? {} : { 'content-type': 'application/json' }),
        ...(change === undefined
          ? {}
          : change.etag === null
            ? { 'if-none-match': '*' }
            : { 'if-match': change.etag }),
      },
      ...(change === undefined ? {} : { body: JSON.stringify({ n: change.n }) }),
    });
    const body = (await response.json()) as Answered['body'];
    return { status: response.status, etag: response.headers.get('etag'), body };
  };
  let n = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    let isOver = false;
    /** The newest that was accepted, by device. */
    const accepted = new Map<string, number>();
    let sum = 0;
    const writers = DEVICES.map(async (device) => {
      while (!isOver)
        try {
          const { etag } = await ask(device);
          const own = ++n;
          const { status } = await ask(device, { n: own, etag });
          if (status !== 202) continue;
          accepted.set(device, own);
          sum++;
        } catch {
          // It was killed.
          return;
        }
    });
    // In the midst of the others' requests, at another place in each turn.
    await waitUntil('some were accepted', () => sum >= 20 + 3 * kill);
    await pantau.kill();
    isOver = true;
    await Promise.all(writers);
    await pantau.caughtUp();
    const seen = await Promise.all(DEVICES.map((device) => ask(device)));
    for (const [i, device] of DEVICES.entries())
      expect(seen[i]!.body.configuration?.n ?? 0).toBeGreaterThanOrEqual(accepted.get(device) ?? 0);
    const changed = await Promise.all(
      DEVICES.map((device, i) => ask(device, { n: ++n, etag: seen[i]!.etag })),
    );
    expect(changed.map(({ status }) => status)).toEqual(DEVICES.map(() => 202));
    await pantau.caughtUp();
  }
}, 240_000);
