import { PantauFixture } from './pantau.fixture.js';

/** No disk of a test machine has so much free. */
const PEBIBYTE = 2 ** 50;

describe('Pantau with less than its reserve free', () => {
  it('starts, says so in health and metrics, and refuses an uplink over HTTP without storing it', async () => {
    await using pantau = await new PantauFixture().start(`journal: { minFree: ${PEBIBYTE} }\n`);
    const { body } = await pantau.get<{ journal: { freeBytes: number } }>('health');
    expect(body).toMatchObject({
      status: 'degraded',
      store: { status: 'ok' },
      journal: { minFreeBytes: PEBIBYTE, accepting: false },
    });
    expect(body.journal.freeBytes).toBeGreaterThan(0);
    expect(await (await fetch(pantau.metrics)).text()).toMatch(/^pantau_journal_full 1$/m);

    const password = await pantau.engines.credentials.issue('udara-01');
    const response = await fetch(`${pantau.intake}/v1/uplinks/udara-01`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`udara-01:${password}`).toString('base64')}` },
      body: JSON.stringify({ ts: Date.now(), pm25: 12 }),
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'JOURNAL_FULL' });
    const { journal } = pantau.engines;
    for (let shard = 0; shard < journal.shards; shard++)
      expect(await journal.extent('uplink', shard)).toEqual({ first: 0, next: 0 });
  });
});
