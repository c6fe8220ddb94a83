import { newestFirst, type Journal, type PassedOver } from '#libs/journal';
import { shardOf, TokenBuckets, type Clock } from '#libs/kernel';
import type { AuditEntry } from '#libs/streams';

/** One for all, so that the entries stand in one order. */
const KEY = 'audit';
/** Entries of nobody known, whom anybody can be as often as he likes: more are counted. */
const OF_NOBODY = { perSecond: 1, burst: 100 };
/** Entries that are looked at for one page, however few of them are asked for. */
const LOOKED_AT = 5_000;

export interface AuditQuestion {
  readonly limit: number;
  /** Only entries before this position. */
  readonly before?: number | undefined;
  /** Only those of this name. */
  readonly by?: string | undefined;
}

export interface AuditPage {
  readonly items: readonly AuditEntry[];
  /** Where the next page begins; undefined at the end. */
  readonly next?: number;
}

/** Who changed what. */
export class Audit {
  readonly #ofNobody = new TokenBuckets(OF_NOBODY);
  #omitted = 0;

  constructor(
    private readonly journal: Journal,
    private readonly clock: Clock,
  ) {}

  /** Resolves once it is on disk. */
  async record(entry: Omit<AuditEntry, 'at' | 'omitted'>): Promise<void> {
    const at = this.clock.now();
    if (entry.by.kind === 'nobody' && !this.#ofNobody.of('', at).tryTake(at)) {
      this.#omitted++;
      return;
    }
    const omitted = this.#omitted;
    this.#omitted = 0;
    const data: AuditEntry = { at, ...entry, ...(omitted === 0 ? {} : { omitted }) };
    await this.journal.append('audit', [{ key: KEY, data }]);
  }

  /** Newest first. */
  async page({ limit, before, by }: AuditQuestion, passedOver: PassedOver): Promise<AuditPage> {
    const items: AuditEntry[] = [];
    let lookedAt = 0;
    const shard = shardOf(KEY, this.journal.shards);
    for await (const { offset, data } of newestFirst(
      this.journal,
      'audit',
      shard,
      passedOver,
      limit,
      before,
    )) {
      if (by === undefined || data.by.name === by) items.push(data);
      if (items.length >= limit || ++lookedAt >= LOOKED_AT) return { items, next: offset };
    }
    return { items };
  }
}
