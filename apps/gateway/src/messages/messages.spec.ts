import type { JournalRef, Rejection, RejectionReason, Signal, Uplink } from '#libs/telemetry';
import { serving, signedIn, type Served } from '../gateway.fixture.js';

interface Item {
  readonly stream: string;
  readonly offset: number;
  readonly became: string;
  readonly values: number;
  readonly readings: readonly { readonly device: string; readonly value: number }[];
  readonly refusals: readonly { readonly reason: string; readonly entry: JournalRef }[];
  readonly payloadText?: string;
  readonly payloadBase64?: string;
  readonly payloadBytes?: number;
}
interface List {
  readonly items: readonly Item[];
  readonly next?: string;
}
const DEVICE = { kind: 'air' as const, name: 'U', site: 'betung', intervalMs: 60_000 };

/** What the stages write of messages, where the spec says what it is. */
class Written {
  #messages = 0;

  constructor(private readonly served: Served) {}

  async register(): Promise<void> {
    await this.served.registry.putSite({ id: 'betung', name: 'Betung' });
    await this.served.registry.putDevice({ ...DEVICE, id: 'udara-01' });
    await this.served.registry.putDevice({ ...DEVICE, id: 'udara-02' });
  }

  async message(device: string, text: string): Promise<JournalRef> {
    const data: Uplink = {
      ...{ site: 'betung', device, kind: 'telemetry', topic: `t/${device}`, payload: Buffer.from(text) },
      ...{ receivedAt: ++this.served.clock.at, qos: 1, messageId: 1, dup: false, session: 's', will: false },
    };
    await this.served.journal.append('uplink', [{ key: device, data }]);
    return { shard: 0, offset: this.#messages++ };
  }

  async read(
    device: string,
    uplink: JournalRef,
    value: number,
    more: { amendment?: true } = {},
  ): Promise<void> {
    const at = ++this.served.clock.at;
    await this.served.journal.append('readings', [
      {
        key: device,
        data: {
          ...{ site: 'betung', device, ts: at, receivedAt: at, uplink, ...more },
          readings: [{ parameter: 'pm25', value, flag: 1 }],
        },
      },
    ]);
  }

  async refuse(device: string, reason: RejectionReason, uplink?: JournalRef): Promise<void> {
    const receivedAt = ++this.served.clock.at;
    const source = uplink === undefined ? {} : { source: { stream: 'uplink', ...uplink } };
    const data: Rejection = { reason, detail: `is ${reason}`, receivedAt, device, count: 1, ...source };
    await this.served.journal.append('rejected', [{ key: device, data }]);
  }

  async signal(device: string, uplink: JournalRef): Promise<void> {
    const at = ++this.served.clock.at;
    const data: Signal = {
      ...{ type: 'heartbeat', site: 'betung', device, ts: at, receivedAt: at, state: 'up', uplink },
    };
    await this.served.journal.append('signals', [{ key: device, data }]);
  }

  /** All that was sent is decoded. */
  async decoded(): Promise<void> {
    await this.served.journal.seek('ingest', 'uplink', 0, this.#messages);
  }
}

describe('the messages of a device', () => {
  it('come newest first with their bytes and what became of each, and with what was refused at the door', () =>
    serving({}, async (served) => {
      const written = new Written(served);
      await written.register();
      const long = `{"x":"${'é'.repeat(4_000)}"}`;
      const first = await written.message('udara-01', long);
      await written.message('udara-02', 'of another');
      await written.read('udara-01', first, 12);
      const heartbeat = await written.message('udara-01', 'up');
      await written.signal('udara-01', heartbeat);
      await written.refuse('udara-01', 'topic_not_allowed');
      const bad = await written.message('udara-01', '<b>');
      await written.refuse('udara-01', 'not_json', bad);
      const again = await written.message('udara-01', 'again');
      await written.refuse('udara-01', 'repeated', again);
      const partly = await written.message('udara-01', 'partly');
      await written.read('udara-01', partly, 14);
      await written.read('udara-01', partly, 13, { amendment: true });
      await written.refuse('udara-01', 'unknown_parameter', partly);
      const nothing = await written.message('udara-01', 'nothing');
      await written.refuse('udara-01', 'nothing_to_keep', nothing);
      await written.message('udara-01', 'gone');
      await written.decoded();
      await written.message('udara-01', 'waits');

      const send = await signedIn(served.url);
      const answer = await send('GET', 'devices/udara-01/messages');
      expect(answer.status).toBe(200);
      const { items, next } = (await answer.json()) as List;
      expect(next).toBeUndefined();
      expect(items.map(({ became, payloadText }) => [became, payloadText?.slice(0, 7)])).toEqual([
        ['waiting', 'waits'],
        ['unknown', 'gone'],
        ['ignored', 'nothing'],
        ['readings', 'partly'],
        ['repeated', 'again'],
        ['refused', '<b>'],
        ['refused', undefined],
        ['signal', 'up'],
        ['readings', '{"x":"é'],
      ]);
      expect(items[3]).toMatchObject({
        ...{ values: 1, readings: [{ device: 'udara-01', value: 14 }] },
        refusals: [{ reason: 'unknown_parameter', detail: 'is unknown_parameter', entry: { shard: 0 } }],
      });
      expect(items[6]).toMatchObject({ stream: 'rejected', refusals: [{ reason: 'topic_not_allowed' }] });
      // The beginning of what is long, and how long it is.
      const whole = items[8]!;
      expect(whole.payloadBytes).toBe(Buffer.byteLength(long));
      expect(Buffer.from(whole.payloadBase64!, 'base64')).toEqual(Buffer.from(long).subarray(0, 4_096));
      expect((await send('GET', 'devices/udara-99/messages')).status).toBe(404);
      expect((await send('GET', 'devices/udara-01/messages?after=x')).status).toBe(400);
    }));

  it('are told apart from what came of others, however much of that stands between', () =>
    serving({}, async (served) => {
      const written = new Written(served);
      await written.register();
      const before = await written.message('udara-01', 'seldom');
      await written.read('udara-01', before, 1);
      const dense = await written.message('udara-02', 'many');
      const at = ++served.clock.at;
      await served.journal.append(
        'readings',
        Array.from({ length: 12_000 }, (_, i) => ({
          key: 'udara-02',
          data: {
            ...{ site: 'betung', device: 'udara-02', ts: i, receivedAt: at, uplink: dense },
            readings: [{ parameter: 'pm25' as const, value: i, flag: 1 as const }],
          },
        })),
      );
      const after = await written.message('udara-01', 'seldom too');
      await written.read('udara-01', after, 2);
      await written.decoded();
      const send = await signedIn(served.url);
      const { items } = (await (await send('GET', 'devices/udara-01/messages')).json()) as List;
      expect(items.map(({ became, readings }) => [became, readings.map(({ value }) => value)])).toEqual([
        ['readings', [2]],
        ['readings', [1]],
      ]);
    }));

  it('are told what became of them also when many came at one instant', () =>
    serving({}, async (served) => {
      const written = new Written(served);
      await written.register();
      const at = ++served.clock.at;
      const sent = Array.from({ length: 9_000 }, (_, i) => i);
      const head = { site: 'betung', device: 'udara-01', receivedAt: at };
      const uplink = {
        kind: 'telemetry' as const,
        topic: 't',
        qos: 1 as const,
        dup: false,
        session: 's',
        will: false,
      };
      await served.journal.append(
        'uplink',
        sent.map((messageId) => ({
          key: 'udara-01',
          data: { ...head, ...uplink, messageId, payload: Buffer.from('x') },
        })),
      );
      await served.journal.append(
        'readings',
        sent.map((offset) => ({
          key: 'udara-01',
          data: {
            ...{ ...head, ts: offset, uplink: { shard: 0, offset } },
            readings: [{ parameter: 'pm25' as const, value: offset, flag: 1 as const }],
          },
        })),
      );
      await served.journal.seek('ingest', 'uplink', 0, sent.length);
      const send = await signedIn(served.url);
      const { items } = (await (await send('GET', 'devices/udara-01/messages')).json()) as List;
      expect(items.map(({ readings }) => readings.map(({ value }) => value))).toEqual(
        Array.from({ length: 20 }, (_, i) => [8_999 - i]),
      );
    }));

  it('are in pages that hold each of them once, also while more come', () =>
    serving({}, async (served) => {
      const written = new Written(served);
      await written.register();
      for (let i = 0; i < 12; i++) {
        await written.message('udara-01', `m${i}`);
        await written.message('udara-02', 'other');
        if (i % 3 === 0) await written.refuse('udara-01', 'topic_not_allowed');
      }
      const send = await signedIn(served.url);
      for (const limit of [1, 5, 16, 100]) {
        const found: string[] = [];
        let next: string | undefined;
        do {
          const after = next === undefined ? '' : `&after=${next}`;
          const page = (await (
            await send('GET', `devices/udara-01/messages?limit=${limit}${after}`)
          ).json()) as List;
          expect(page.items.length).toBeLessThanOrEqual(limit);
          found.push(...page.items.map(({ stream, offset }) => `${stream} ${offset}`));
          next = page.next;
          await written.message('udara-02', 'meanwhile');
        } while (next !== undefined);
        expect(new Set(found).size).toBe(found.length);
        expect(found).toHaveLength(16);
      }
    }));

  it('cost about the same however much stands between them, and in pages all are found', () =>
    serving({}, async (served) => {
      const written = new Written(served);
      await written.register();
      const first = await written.message('udara-01', 'oldest');
      await written.read('udara-01', first, 5);
      const data = (i: number): Uplink => ({
        ...{ site: 'betung', device: 'udara-02', kind: 'telemetry', topic: 't', payload: Buffer.from('x') },
        ...{ receivedAt: i, qos: 1, messageId: 1, dup: false, session: 's', will: false },
      });
      const many = Array.from({ length: 12_000 }, (_, i) => ({ key: 'udara-02', data: data(i) }));
      await served.journal.append('uplink', many);
      let looked = 0;
      const { journal } = served;
      for (const method of ['read', 'readBackwards'] as const) {
        const original = journal[method].bind(journal) as (...args: unknown[]) => Promise<unknown[]>;
        const counting = async (...args: unknown[]): Promise<unknown[]> => {
          const entries = await original(...args);
          looked += entries.length;
          return entries;
        };
        Object.assign(journal, { [method]: counting });
      }
      const send = await signedIn(served.url);
      let next: string | undefined;
      const found: Item[] = [];
      let pages = 0;
      do {
        looked = 0;
        const query = next === undefined ? '' : `?after=${next}`;
        const page = (await (await send('GET', `devices/udara-01/messages${query}`)).json()) as List;
        expect(looked).toBeLessThan(12_000);
        found.push(...page.items);
        next = page.next;
        pages++;
      } while (next !== undefined);
      expect(pages).toBe(3);
      expect(found).toMatchObject([{ became: 'readings', values: 1 }]);
    }));
});
