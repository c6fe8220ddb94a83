import { DuckDbStore } from '#libs/engine-duckdb';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import type { Journal } from '#libs/journal';
import { BatchContext, StageCache, StageState, Tally } from '#libs/journal-transport';
import type { Counted } from '#libs/journal-transport-state';
import { HOUR } from '#libs/kernel';
import type { StateStore, StateWrite } from '#libs/state';
import { type Observation, type Rejection, type Uplink } from '#libs/telemetry';
import { temporaryFolder } from '#libs/testing';
import { ACCOUNT, ACCOUNT_DAYS } from '#namespaces/journal-transport-state';
import { join } from 'node:path';
import { fullCheck, type FullCheckOptions } from './full-check.js';

export const T = Date.UTC(2026, 0, 1);

/** A journal, a state and a store, and stages that count as those of Pantau do. */
export class AccountFixture implements AsyncDisposable {
  readonly #folder = temporaryFolder('account');
  now = T;
  readonly clock = { now: () => this.now };
  journal!: Journal;
  state!: StateStore;
  store!: DuckDbStore;

  async open(): Promise<this> {
    await this.#openJournal();
    const { clock } = this;
    const retention = { raw: Infinity, hour: Infinity, day: Infinity };
    this.store = await DuckDbStore.open(join(this.#folder.path, 'readings.duckdb'), { retention, clock });
    await this.store.setUp();
    return this;
  }

  /** What was not committed is gone. */
  async restart(): Promise<void> {
    await this.journal.close();
    await this.state.close();
    await this.#openJournal();
  }

  /** As a version left it that did not count by day. */
  async asBeforeDays(): Promise<void> {
    const writes: StateWrite[] = [];
    for (const { key, value } of await this.state.list(ACCOUNT)) {
      const row: { -readonly [K in keyof Counted]: Counted[K] } = { ...(value as Counted) };
      delete row.daysFrom;
      writes.push(ACCOUNT.put(key, row));
    }
    for (const { key } of await this.state.list(ACCOUNT_DAYS)) writes.push(ACCOUNT_DAYS.remove(key));
    await this.state.write(writes);
  }

  async #openJournal(): Promise<void> {
    const state = LmdbStateStore.open(this.#folder.path);
    const { clock } = this;
    this.state = state;
    this.journal = await LmdbJournal.open({ state, clock, shards: 1 });
  }

  async send(count: number): Promise<void> {
    await this.journal.append(
      'uplink',
      Array.from({ length: count }, () => ({ key: 'a', data: uplink(this.now) })),
    );
  }

  /** Says what became of a message, and counts it as the stages do. */
  async decode(
    offset: number,
    readings: Observation['readings'] | undefined,
    stored = true,
    arrivedAt = this.now,
  ): Promise<void> {
    const ref = { shard: 0, offset };
    const context = this.#context('ingest', 'uplink', offset);
    const tally = await Tally.begin(context);
    const count = tally.pass(offset, arrivedAt, this.now) ? 1 : 0;
    if (readings === undefined) {
      tally.add('refused', count);
      tally.add('refused: not_json', count);
      const data: Rejection = { ...refusal(this.now), source: { stream: 'uplink', ...ref } };
      context.append('rejected', [{ key: 'a', data }]);
    } else {
      tally.add('reading', count);
      tally.add('values', count * readings.length);
      context.append('readings', [{ key: 'a', data: observation(offset, this.now, readings) }]);
    }
    await tally.end();
    await this.#commit(context, offset);
    if (readings === undefined) return;
    const { next } = await this.journal.extent('readings', 0);
    const writing = this.#context('writer', 'readings', next - 1);
    const written = await Tally.begin(writing);
    written.pass(next - 1, arrivedAt);
    written.add('written', readings.length);
    await written.end();
    if (stored) await this.store.write([observation(offset, this.now, readings)]);
    await this.#commit(writing, next - 1);
  }

  check(more: Partial<FullCheckOptions> = {}): ReturnType<typeof fullCheck> {
    const { journal, store } = this;
    const now = this.now + HOUR;
    const { signal } = new AbortController();
    return fullCheck({ journal, store, now, storeKeepsFrom: 0, signal, ...more });
  }

  #context(stage: string, stream: string, first: number): BatchContext {
    const state = new StageState(this.state, new StageCache());
    return new BatchContext({ stage, stream, shard: 0, first }, state, this.journal);
  }

  async #commit(context: BatchContext, offset: number): Promise<void> {
    const { stage: cursor, stream, shard } = context.origin;
    const [state, append] = [context.state.writes(), context.appends()];
    await this.journal.commit({ cursor, stream, shard, expected: offset, next: offset + 1, state, append });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.journal.close();
    await this.state.close();
    await this.store.close();
    this.#folder[Symbol.dispose]();
  }
}

function uplink(receivedAt: number): Uplink {
  const base = { site: 's', device: 'a', kind: 'telemetry', topic: '', session: 'x' } as const;
  const payload = Buffer.from('{}');
  return { ...base, payload, receivedAt, qos: 1, messageId: 1, dup: false, will: false };
}

export function observation(offset: number, now: number, readings: Observation['readings']): Observation {
  const ts = T + offset * HOUR;
  return { site: 's', device: 'a', ts, receivedAt: now, uplink: { shard: 0, offset }, readings };
}

export function refusal(receivedAt: number): Rejection {
  return { reason: 'not_json', detail: 'no JSON', receivedAt, device: 'a', count: 1 };
}

export const PM25 = { parameter: 'pm25', value: 5, flag: 1 } as const;
export const PM10 = { parameter: 'pm10', value: 9, flag: 3 } as const;
