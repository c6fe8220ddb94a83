import { newestFirst, type Journal, type UnreadableEntryListener } from '#libs/journal';
import {
  MINUTE,
  shardOf,
  sortable,
  TokenBuckets,
  type Clock,
  type Millis,
  type UtcMillis,
} from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { AuditEntry } from '#libs/streams';
import { randomBytes } from 'node:crypto';
import { AUDIT_INTENTS, type AuditIntent } from './namespaces.js';

/** One for all, so that the entries stand in one order. */
const KEY = 'audit';
/** Entries of nobody known, whom anybody can be as often as he likes: more are counted. */
const OF_NOBODY = { perSecond: 1, burst: 100 };
/** Refused changes of one who is known: whatever is done is recorded, and a program that is refused for ever fills no disk. */
const REFUSED = { perSecond: 1, burst: 300 };
/** After so long nobody is at it any more. */
const INTENT_ABANDONED: Millis = 10 * MINUTE;
/** Entries that are looked at for one page, however few of them are asked for. */
const LOOKED_AT = 5_000;

export interface AuditQuestion {
  readonly limit: number;
  /** Only entries before this position. */
  readonly before?: number | undefined;
  /** Only those of this name. */
  readonly by?: string | undefined;
  /** Only those with this result. */
  readonly result?: AuditEntry['result'] | undefined;
  /** Only those from this time on, and before that. */
  readonly from?: UtcMillis | undefined;
  readonly to?: UtcMillis | undefined;
}

export interface AuditPage {
  readonly items: readonly AuditEntry[];
  /** Where the next page begins; undefined at the end. */
  readonly next?: number;
}

/** Who changed what. */
export class Audit {
  readonly #ofNobody = new TokenBuckets(OF_NOBODY);
  readonly #refused = new TokenBuckets(REFUSED);
  #omitted = 0;

  constructor(
    private readonly journal: Journal,
    private readonly state: StateStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Notes what somebody is about to do; resolves once it is on disk. If nothing of it is recorded, {@link settle} makes an entry of
   * it: nothing is done of which the log says nothing.
   *
   * @returns what {@link record} takes
   */
  async begin(intent: Omit<AuditIntent, 'at'>): Promise<string> {
    const at = this.clock.now();
    const id = `${sortable(at)}-${randomBytes(6).toString('hex')}`;
    await this.state.write([AUDIT_INTENTS.put(id, { at, ...intent })]);
    return id;
  }

  /** Resolves once it is on disk. */
  async record(entry: Omit<AuditEntry, 'at' | 'omitted'>): Promise<void> {
    const at = this.clock.now();
    if (this.#isTooMuch(entry, at)) this.#omitted++;
    else {
      const omitted = this.#omitted;
      this.#omitted = 0;
      const data: AuditEntry = { at, ...entry, ...(omitted === 0 ? {} : { omitted }) };
      await this.journal.append('audit', [{ key: KEY, data }]);
    }
    const { intent } = entry;
    // Nobody waits for it: one that stays has an entry, which settling sees.
    if (intent !== undefined) this.state.write([AUDIT_INTENTS.remove(intent)]).catch(() => undefined);
  }

  /** Makes entries of what somebody was about to do when Pantau was ended, or when the disk took nothing. */
  async settle(passedOver: UnreadableEntryListener): Promise<void> {
    const before = this.clock.now() - INTENT_ABANDONED;
    const open = (await this.state.list(AUDIT_INTENTS)).filter(({ value }) => value.at <= before);
    const oldest = open[0]?.value.at;
    if (oldest === undefined) return;
    const recorded = new Set<string>();
    for await (const { data } of this.#newest(1_000, undefined, passedOver)) {
      if (data.intent !== undefined) recorded.add(data.intent);
      if (data.at < oldest) break;
    }
    for (const { key: intent, value } of open) {
      const { by, from, action, on } = value;
      if (recorded.has(intent)) await this.state.write([AUDIT_INTENTS.remove(intent)]);
      else await this.record({ by, from, action, on, intent, result: 'unknown', status: 0 });
    }
  }

  #isTooMuch({ by, result }: Omit<AuditEntry, 'at' | 'omitted'>, at: UtcMillis): boolean {
    if (result === 'done' || result === 'unknown') return false;
    if (by.kind === 'nobody') return !this.#ofNobody.of('', at).tryTake(at);
    return result === 'refused' && !this.#refused.of(`${by.kind} ${by.name}`, at).tryTake(at);
  }

  #newest(limit: number, before: number | undefined, passedOver: UnreadableEntryListener) {
    const shard = shardOf(KEY, this.journal.shards);
    return newestFirst(this.journal, 'audit', shard, passedOver, limit, before);
  }

  /** Newest first. */
  async page(
    { limit, before, ...wanted }: AuditQuestion,
    passedOver: UnreadableEntryListener,
  ): Promise<AuditPage> {
    const items: AuditEntry[] = [];
    let lookedAt = 0;
    for await (const { offset, data } of this.#newest(limit, before, passedOver)) {
      if (isWanted(data, wanted)) items.push(data);
      if (items.length >= limit || ++lookedAt >= LOOKED_AT) return { items, next: offset };
    }
    return { items };
  }
}

function isWanted(
  entry: AuditEntry,
  { by, result, from = -Infinity, to = Infinity }: Omit<AuditQuestion, 'limit' | 'before'>,
): boolean {
  const isOf = (by ?? entry.by.name) === entry.by.name && (result ?? entry.result) === entry.result;
  return isOf && entry.at >= from && entry.at < to;
}
