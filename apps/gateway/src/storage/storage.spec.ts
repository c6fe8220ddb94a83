import { serving, signedIn } from '../gateway.fixture.js';

interface Stream {
  readonly stream: string;
  readonly entries: number;
  readonly bytes: number;
  readonly oldest?: string;
  readonly maxAgeMs: number | null;
}

describe('what is kept', () => {
  it('is told by stream, the largest first, with how long it stays and since when it is there', () =>
    serving({}, async ({ url, journal, clock, tokens }) => {
      const begin = clock.at;
      for (let i = 0; i < 3; i++) {
        await journal.append('signals', [
          {
            key: 'udara-01',
            data: {
              ...{ type: 'heartbeat', site: 'betung', device: 'udara-01', ts: begin, receivedAt: begin },
              ...{ state: 'up', uplink: { shard: 0, offset: i } },
            },
          },
        ]);
        clock.at += 1_000;
      }
      const ask = await signedIn(url);
      const answer = await ask('GET', 'storage');
      expect(answer.status).toBe(200);
      const { streams, store, disk } = (await answer.json()) as {
        streams: Stream[];
        store: unknown;
        disk: { freeBytes: number };
      };
      expect(streams.find(({ stream }) => stream === 'signals')).toMatchObject({
        ...{ entries: 3, oldest: new Date(begin).toISOString() },
        ...{ maxAgeMs: 86_400_000, maxBytes: null, unread: 'wait' },
      });
      expect(streams.find(({ stream }) => stream === 'settings')).toMatchObject({ maxAgeMs: null });
      expect(streams.map(({ bytes }) => bytes)).toEqual(
        streams.map(({ bytes }) => bytes).sort((a, b) => b - a),
      );
      expect(store).toEqual({ rawMs: null, hourMs: 400 * 86_400_000, dayMs: null });
      expect(disk.freeBytes).toBeGreaterThan(0);
      const reads = await tokens.create('reads', ['read'], 3_600_000);
      const refused = await fetch(`${url}/api/v1/storage`, { headers: { authorization: `Bearer ${reads}` } });
      expect(refused.status).toBe(403);
    }));
});
