import { eachEntry, type Entry, type Journal } from '#libs/journal';
import {
  canonicalJson,
  PantauError,
  shardOf,
  type Clock,
  type Millis,
  type UtcMillis,
  sortable,
} from '#libs/kernel';
import type { StateStore, StateWrite } from '#libs/state';
import type { SettingsEntry } from '#libs/streams';
import { createHash } from 'node:crypto';
import { SETTINGS_HISTORY } from '../namespaces.js';

/** The stream of the settings, which retention never touches: what was computed with them refers to them. */
export const SETTINGS = 'settings';
/**
 * What turned out to be true of a device in the past, as the value of an entry `interval/{id}`: from the entry's `from` until here it
 * promised to report this often. Figures are computed with it; how its messages were judged at their arrival stays as it was.
 */
export interface IntervalCorrection {
  readonly intervalMs: Millis;
  /** When it was recorded; from then on the device's own entries say it. */
  readonly until: UtcMillis;
}

/** What settings were, and are. */
export interface SettingsHistory {
  /** Every entry of a name, in order of time; none when it was never recorded. */
  history<T>(name: string): Promise<readonly SettingsEntry<T>[]>;
}

/** How often a device promised to report from an earlier time until now. */
interface Correction {
  readonly name: string;
  readonly from: UtcMillis;
  readonly intervalMs: Millis;
}

/** Settings are history: a change is a further entry of the stream, and leaves what held before as it was. */
export class Settings implements SettingsHistory {
  /** @param log - where changes are recorded; without one only what is recorded already can be read */
  constructor(
    private readonly state: StateStore,
    private readonly log: { readonly journal: Journal; readonly clock: Clock } | undefined,
  ) {}

  async history<T>(name: string): Promise<readonly SettingsEntry<T>[]> {
    const entries = await this.state.list(SETTINGS_HISTORY, { prefix: `${name}/` });
    return entries.map(({ value }) => value as SettingsEntry<T>);
  }

  /** The one that holds now. */
  async last<T>(name: string): Promise<SettingsEntry<T> | undefined> {
    const [entry] = await this.state.list(SETTINGS_HISTORY, { prefix: `${name}/`, reverse: true, limit: 1 });
    return entry?.value as SettingsEntry<T> | undefined;
  }

  /** Every entry of the names that begin with `{kind}/`, by name and in order of time. */
  async historyOfKind<T>(kind: 'access'): Promise<readonly SettingsEntry<T>[]> {
    return this.history(kind);
  }

  /**
   * Records what a setting is from now on, unless it was so before. The first entry of a name holds from the beginning.
   *
   * @param project - what else is written in the same commit, because it follows from it
   * @param before - what held before the first entry, if that is known. It is asked in each attempt, after which nobody else's
   * change gets in between: where it throws, nothing is declared
   * @param correction - how often a device promised to report from an earlier time until now; recorded in the same commit
   */
  async declare(
    name: string,
    value: unknown,
    project: readonly StateWrite[] = [],
    before: () => Promise<unknown> = async () => undefined,
    correction?: Correction,
  ): Promise<void> {
    await this.#record(name, () => value, project, before, correction);
  }

  /**
   * The same of a value that follows from the one that held.
   *
   * @param valueOf - asked in each attempt, after which nobody else's change gets in between; where it throws, nothing is declared
   */
  async change<T>(
    name: string,
    valueOf: (held: T | undefined) => T | Promise<T>,
    project: readonly StateWrite[] = [],
  ): Promise<void> {
    await this.#record(
      name,
      (held) => valueOf(held as T | undefined),
      project,
      async () => undefined,
    );
  }

  async #record(
    name: string,
    valueOf: (held: unknown) => unknown,
    project: readonly StateWrite[],
    before: () => Promise<unknown>,
    correction?: Correction,
  ): Promise<void> {
    if (this.log === undefined) {
      await before();
      return this.state.write(project);
    }
    const { journal, clock } = this.log;
    const shard = shardOf(name, journal.shards);
    for (;;) {
      const expected = await journal.position(SETTINGS, SETTINGS, shard);
      const last = await this.last(name);
      const value = await valueOf(last?.value);
      const held = await before();
      const at = clock.now();
      const entries: SettingsEntry[] = [];
      if (last === undefined && held !== undefined && valueDigest(held) !== valueDigest(value))
        entries.push({ name, from: 0, at, value: held, digest: valueDigest(held) });
      if (last?.digest !== valueDigest(value)) {
        // Later than the one before, even if the clock was set back.
        const from = last === undefined && entries.length === 0 ? 0 : Math.max(at, (last?.from ?? 0) + 1);
        const isNew = from === 0 && held === undefined && project.length > 0;
        entries.push({ name, from, at, value, digest: valueDigest(value), ...(isNew ? { since: at } : {}) });
      }
      if (correction !== undefined) {
        const { from, intervalMs } = correction;
        const corrected: IntervalCorrection = { intervalMs, until: entries.at(-1)?.from || at };
        entries.push({ name: correction.name, from, at, value: corrected, digest: valueDigest(corrected) });
      }
      if (entries.length === 0 && project.length === 0) return;
      const writes = entries.map((entry) => {
        // Corrections may begin at the same instant: in the order in which they were made.
        const place = sortable(entry.name === name ? entry.from : expected);
        return SETTINGS_HISTORY.put(`${entry.name}/${place}`, entry);
      });
      const encoded = journal.encode(
        SETTINGS,
        entries.map((data) => ({ key: name, data })),
      );
      try {
        await journal.commit({
          ...{ cursor: SETTINGS, stream: SETTINGS, shard, expected, next: expected + entries.length },
          ...{ state: [...writes, ...project], append: [{ stream: SETTINGS, entries: [encoded] }] },
        });
        return;
      } catch (error) {
        // Somebody else recorded something in between.
        if (!(error instanceof PantauError && error.code === 'CURSOR_CONFLICT')) throw error;
      }
    }
  }
}

/** Settings as the journal itself has them, for those who check what follows from it. */
export class JournalSettings implements SettingsHistory {
  #entries: Promise<Map<string, SettingsEntry[]>> | undefined;

  constructor(private readonly journal: Journal) {}

  async history<T>(name: string): Promise<readonly SettingsEntry<T>[]> {
    this.#entries ??= this.#read();
    return ((await this.#entries).get(name) ?? []) as SettingsEntry<T>[];
  }

  async #read(): Promise<Map<string, SettingsEntry[]>> {
    const entries = new Map<string, SettingsEntry[]>();
    const keep = ({ data }: Entry<SettingsEntry>): void => {
      entries.set(data.name, [...(entries.get(data.name) ?? []), data]);
    };
    // Without an entry that cannot be read, the one before it holds on: what was computed with it comes out different.
    await eachEntry(this.journal, SETTINGS, keep, () => undefined);
    return entries;
  }
}

/**
 * When a thing was registered; undefined when that was before changes were recorded: its first entry came with its first change.
 *
 * @param entries - of its name, in order of time
 */
export function registeredAt([first, second]: readonly SettingsEntry[]): UtcMillis | undefined {
  const cameWithChange = second !== undefined && second.at === first?.at && second.from === second.at;
  return first?.since ?? (cameWithChange ? undefined : first?.at);
}

/** The entry that holds at an instant. @param entries - of one name, in order of time */
export function settingAt<T>(
  entries: readonly SettingsEntry<T>[],
  at: UtcMillis,
): SettingsEntry<T> | undefined {
  return entries.findLast(({ from }) => from <= at) ?? entries[0];
}

function valueDigest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
