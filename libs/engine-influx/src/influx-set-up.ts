import { DAY, HOUR, PantauError, type Millis } from '#libs/kernel';
import { KEEP_EVERYTHING, retentionText, TIERS } from '#libs/timeseries';
import { LAYOUTS } from './influx-layout.js';
import { bucketName, type InfluxStoreOptions, type Place } from './influx-options.js';
import { identifier } from './influx-ql.js';
import type { InfluxTransport } from './influx-transport.js';

/**
 * InfluxDB opens a file per shard and expires whole ones, so a sparse tier that is kept for ever wants long shards, and a
 * short retention wants short ones.
 */
const LONGEST_SHARD: Readonly<Record<Place, Millis>> = { raw: 7 * DAY, hour: 91 * DAY, day: 1_456 * DAY };
const SHARDS_KEPT = 8;

/** Makes what is missing in InfluxDB, and sets the retention. */
export class InfluxSetUp {
  constructor(
    private readonly transport: InfluxTransport,
    private readonly options: InfluxStoreOptions,
  ) {}

  /** @returns what was changed, for people */
  async run(): Promise<readonly string[]> {
    const made = await this.#makeReadable('raw', () =>
      this.options.version === 1 ? this.#createDatabase() : this.#mapBucket('raw'),
    );
    const changes = this.options.version === 1 ? await this.#setPolicies() : await this.#setBuckets();
    return [...made, ...changes];
  }

  /** The retention of a place as InfluxDB shall have it. */
  #kept(place: Place): Millis {
    return (this.options.retention ?? KEEP_EVERYTHING)[place];
  }

  /** Makes a place visible to InfluxQL unless it is. */
  async #makeReadable(place: Place, make: () => Promise<unknown>): Promise<string[]> {
    try {
      // One millisecond: the question is whether reading is possible, not what is there.
      await this.transport.influxQl(
        `SELECT * FROM ${LAYOUTS[place].from} WHERE time >= 0 AND time < 1ms LIMIT 1`,
      );
      return [];
    } catch (error) {
      if (!(error instanceof PantauError) || error.code !== 'STORE_CONFIG') throw error;
      await make();
      return [`made "${bucketName(this.options, place)}" readable`];
    }
  }

  #createDatabase(): Promise<unknown> {
    return this.transport.influxQl(`CREATE DATABASE ${identifier(this.options.database)}`, 'POST');
  }

  /** 1.x: a retention policy a tier, and the default one for the readings. */
  async #setPolicies(): Promise<string[]> {
    const database = identifier(this.options.database);
    const policies = await this.transport.influxQl(`SHOW RETENTION POLICIES ON ${database}`);
    const changes: string[] = [];
    for (const place of ['raw', ...TIERS] as const) {
      const existing = policies.find((policy) =>
        place === 'raw' ? policy['default'] === true : policy['name'] === place,
      );
      const kept = existing === undefined ? undefined : goDuration(existing['duration'] as string);
      if (kept === this.#kept(place)) continue;
      const name = identifier((existing?.['name'] as string | undefined) ?? place);
      const [verb, replication] = existing === undefined ? ['CREATE', 'REPLICATION 1 '] : ['ALTER', ''];
      const statement = `${verb} RETENTION POLICY ${name} ON ${database} DURATION ${influxDuration(this.#kept(place))} ${replication}SHARD DURATION ${influxDuration(shardDuration(place, this.#kept(place)))}`;
      changes.push(
        await this.#changeRetention(place, kept, `an administrator can run: ${statement}`, () =>
          this.transport.influxQl(statement, 'POST'),
        ),
      );
    }
    return changes;
  }

  /** 2.x: a bucket a tier. */
  async #setBuckets(): Promise<string[]> {
    const raw = await this.#bucketOfReadings();
    const changes: string[] = [];
    for (const place of ['raw', ...TIERS] as const) {
      const bucket = place === 'raw' ? raw : await this.#bucket(bucketName(this.options, place));
      const kept = bucket === undefined ? undefined : bucketRetention(bucket);
      if (kept !== this.#kept(place)) {
        // Zero is for ever.
        const everySeconds = this.#kept(place) === Infinity ? 0 : this.#kept(place) / 1_000;
        const retentionRules = [{ type: 'expire', everySeconds }];
        const name = bucketName(this.options, place);
        const remedy = `the bucket "${name}" needs a retention of ${everySeconds} seconds (0: for ever)`;
        changes.push(
          await this.#changeRetention(place, kept, remedy, () =>
            bucket === undefined
              ? this.transport.fetch('/api/v2/buckets', 'POST', { orgID: raw.orgID, name, retentionRules })
              : this.transport.fetch(`/api/v2/buckets/${bucket.id}`, 'PATCH', { retentionRules }),
          ),
        );
      }
      if (place !== 'raw') changes.push(...(await this.#makeReadable(place, () => this.#mapBucket(place))));
    }
    return changes;
  }

  async #changeRetention(
    place: Place,
    kept: Millis | undefined,
    remedy: string,
    change: () => Promise<unknown>,
  ): Promise<string> {
    const wanted = `store.retention.${place} is ${retentionText(this.#kept(place))}`;
    const found =
      kept === undefined
        ? `InfluxDB has no place for "${place}" yet`
        : `the retention of "${place}" in InfluxDB is ${retentionText(kept)}`;
    try {
      await change();
    } catch (error) {
      if (!(error instanceof PantauError) || error.code !== 'STORE_CONFIG') throw error;
      throw new PantauError(
        'STORE_CONFIG',
        `${found}, ${wanted}, and it may not be changed: ${error.detail}`,
        {
          remedy: `Change the setting, or give the account the right to: ${remedy}.`,
          transient: true,
          cause: error,
        },
      );
    }
    return `${found}; set, because ${wanted}`;
  }

  async #bucket(name: string): Promise<Bucket | undefined> {
    const parameters = new URLSearchParams({ org: this.options.org ?? '', name });
    const { body } = await this.transport.fetch(`/api/v2/buckets?${parameters.toString()}`, 'GET');
    return (body as { buckets?: readonly Bucket[] }).buckets?.[0];
  }

  async #bucketOfReadings(): Promise<Bucket> {
    const { database, org = '' } = this.options;
    const bucket = await this.#bucket(database);
    if (bucket === undefined) {
      throw new PantauError('STORE_CONFIG', `InfluxDB has no bucket "${database}" in "${org}".`, {
        remedy: 'Create the bucket, or name an existing one in store.database.',
        transient: true,
      });
    }
    return bucket;
  }

  async #mapBucket(place: Place): Promise<void> {
    const { database, org = '' } = this.options;
    const bucket =
      place === 'raw' ? await this.#bucketOfReadings() : await this.#bucket(bucketName(this.options, place));
    await this.transport.fetch('/api/v2/dbrps', 'POST', {
      org,
      bucketID: bucket?.id,
      database,
      retention_policy: place === 'raw' ? 'autogen' : place,
      default: place === 'raw',
    });
  }
}

/** A bucket of 2.x. */
interface Bucket {
  readonly id: string;
  readonly orgID?: string;
  readonly retentionRules?: readonly { readonly type?: string; readonly everySeconds?: number }[];
}

function bucketRetention({ retentionRules = [] }: Bucket): Millis {
  const seconds = retentionRules.find(({ type = 'expire' }) => type === 'expire')?.everySeconds ?? 0;
  return seconds === 0 ? Infinity : seconds * 1_000;
}

/** A length of time as 1.x writes it, `720h0m0s`; `0s` is for ever. */
function goDuration(text: string): Millis {
  const units: Readonly<Record<string, Millis>> = { h: HOUR, m: 60_000, s: 1_000 };
  const ms = Array.from(
    text.matchAll(/(\d+)([hms])/g),
    ([, count, unit = '']) => Number(count) * (units[unit] ?? 0),
  );
  const sum = ms.reduce((total, part) => total + part, 0);
  return sum === 0 ? Infinity : sum;
}

function influxDuration(ms: Millis): string {
  return ms === Infinity ? 'INF' : `${Math.round(ms / 1_000)}s`;
}

function shardDuration(place: Place, kept: Millis): Millis {
  return Math.min(LONGEST_SHARD[place], Math.max(HOUR, Math.floor(kept / SHARDS_KEPT / HOUR) * HOUR));
}
