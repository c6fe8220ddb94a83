import { DEVICE_MEMORY, DEVICE_SENSORS, UNREAD_MEMBERS } from '#namespaces/ingest-state';
import type { Device, Registry, SettingsHistory } from '#libs/identity';
import {
  eachEntry,
  pagesOf,
  type EncodedEntries,
  type Entry,
  type Journal,
  type NewEntry,
} from '#libs/journal';
import { BatchContext, StageCache, StageState } from '#libs/journal-transport';
import { shardOf } from '#libs/kernel';
import type { Namespace, StateStore } from '#libs/state';
import type { Observation, Rejection, Signal, Uplink } from '#libs/telemetry';
import { Packr } from 'msgpackr';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { IngestOptions } from './ingest-options.js';
import { CODEC_MEMORY, REPETITIONS } from './namespaces.js';
import { UplinkController } from './uplink.controller.js';

const PAGE = 1_000;

/** What ingest remembers from one message to the next; the rest it only writes. */
const REMEMBERED = new Set(
  [DEVICE_MEMORY, DEVICE_SENSORS, UNREAD_MEMBERS, CODEC_MEMORY, REPETITIONS].map(({ name }) => name),
);

const packr = new Packr({ useRecords: false });

/** Of the messages of every shard, by its number: the first to be read, and the first that is not. */
export type Windows = readonly { readonly first: number; readonly next: number }[];

/** Gets an entry of `readings` or `signals` that a message becomes. */
export type Visit = (stream: 'readings' | 'signals', entry: NewEntry<Observation | Signal>) => void;

/**
 * Reads uplinks again with the code of ingest and with the settings of their arrival. What is remembered is kept in memory, packed,
 * and begins empty; nothing is written. Messages that ingest set aside are left out, as it did.
 */
export class Replay {
  readonly #memory = new Map<string, Buffer>();
  readonly #cache = new StageCache();
  readonly #controller: UplinkController;
  #senders: ReadonlySet<string> | undefined;
  #setAside: ReadonlySet<string> | undefined;

  /** @param device - the uplinks of this device and of those that ever spoke for it; otherwise all */
  constructor(
    private readonly journal: Journal,
    private readonly options: IngestOptions,
    private readonly device?: string,
  ) {
    this.#controller = new UplinkController(options);
  }

  /** The shards that hold them. */
  async shards(): Promise<ReadonlySet<number>> {
    const { shards } = this.journal;
    const senders = await this.#sendersWanted();
    return new Set(
      senders === undefined
        ? Array.from({ length: shards }, (_, shard) => shard)
        : [...senders].map((sender) => shardOf(sender, shards)),
    );
  }

  /**
   * The windows of one call begin where those of the call before ended.
   *
   * @param onRead - called between two pages with the number of messages that were read
   * @throws what `onRead` throws
   */
  async read(windows: Windows, visit: Visit, onRead?: (count: number) => void): Promise<void> {
    const senders = await this.#sendersWanted();
    this.#setAside ??= await setAsideIn(this.journal);
    const sources = [...(await this.shards())].map((shard) =>
      entriesOf(this.journal, shard, windows[shard] ?? { first: 0, next: 0 }, senders, onRead),
    );
    const encode = (stream: string, entries: readonly NewEntry[]): EncodedEntries => {
      if (stream === 'readings' || stream === 'signals')
        for (const entry of entries)
          if ((this.device ?? entry.key) === entry.key)
            visit(stream, entry as NewEntry<Observation | Signal>);
      return { byteLength: 0 };
    };
    for await (const page of inPages(merged(sources))) {
      await turnOfTheLoop();
      const batch = page.filter(({ shard, offset }) => this.#setAside?.has(`${shard} ${offset}`) === false);
      const state = new StageState(this.#store, this.#cache);
      const { shard = 0, offset: first = 0 } = batch[0] ?? {};
      const context = new BatchContext({ stage: 'ingest', stream: 'uplink', shard, first }, state, {
        encode,
      });
      const pieces = await this.#controller.uplink(context);
      await pieces.add(batch);
      await pieces.end();
      for (const { namespace, key, value } of state.writes())
        if (REMEMBERED.has(namespace))
          this.#memory.set(`${namespace} ${key}`, Buffer.from(packr.pack(value)));
      state.settle(batch.length);
    }
  }

  async #sendersWanted(): Promise<ReadonlySet<string> | undefined> {
    const { device } = this;
    const { registry, settings = registry.settings } = this.options;
    if (device !== undefined) this.#senders ??= await sendersOf(device, registry, settings);
    return this.#senders;
  }

  readonly #store: Pick<StateStore, 'get' | 'getMany' | 'list'> = {
    // Nothing is from before.
    list: () => Promise.resolve([]),
    get: async <T>(namespace: Namespace<T>, key: string) => this.#remembered<T>(namespace, key),
    getMany: async <T>(namespace: Namespace<T>, keys: readonly string[]) =>
      keys.map((key) => this.#remembered<T>(namespace, key)),
  };

  #remembered<T>(namespace: Namespace<T>, key: string): T | undefined {
    const packed = this.#memory.get(`${namespace.name} ${key}`);
    return packed === undefined ? undefined : (packr.unpack(packed) as T);
  }
}

/** What the bytes of a device say, as ingest reads them. */
export interface Replayed {
  readonly readings: readonly Observation[];
  /** Without those of the broker, which come from no message. */
  readonly signals: readonly Signal[];
  /** By shard the uplinks that were read: those of ingest's cursor and later ones were not. */
  readonly read: readonly { readonly shard: number; readonly first: number; readonly next: number }[];
}

/**
 * Reads the uplinks of a device, and of those that speak for it, from the oldest that is kept up to the cursor of ingest.
 * Reads whole shards: minutes on a large journal.
 *
 * @param wants - which of what they become is kept
 */
export async function replayUplinks(
  journal: Journal,
  options: IngestOptions,
  device: string,
  wants: (data: Observation | Signal) => boolean = () => true,
): Promise<Replayed> {
  const replay = new Replay(journal, options, device);
  const read: { shard: number; first: number; next: number }[] = [];
  const windows: { first: number; next: number }[] = [];
  for (const shard of await replay.shards()) {
    const { first } = await journal.extent('uplink', shard);
    const window = { first, next: Math.max(first, await journal.position('ingest', 'uplink', shard)) };
    windows[shard] = window;
    read.push({ shard, ...window });
  }
  const readings: Observation[] = [];
  const signals: Signal[] = [];
  await replay.read(windows, (stream, { data }) => {
    if (!wants(data)) return;
    if (stream === 'readings') readings.push(data as Observation);
    else signals.push(data as Signal);
  });
  return { readings, signals, read };
}

/** Messages on which the handler of ingest failed again and again. */
async function setAsideIn(journal: Journal): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const look = ({ data: { reason, source } }: Entry<Rejection>): void => {
    if (reason === 'handler_failed' && source?.stream === 'uplink')
      found.add(`${source.shard} ${source.offset}`);
  };
  await eachEntry(journal, 'rejected', look, () => undefined);
  return found;
}

/** The device itself, and who ever spoke for it. */
async function sendersOf(
  id: string,
  registry: Registry,
  settings: SettingsHistory,
): Promise<ReadonlySet<string>> {
  const senders = new Set([id]);
  for (const device of await registry.devices()) {
    const history = await settings.history<Device>(`device/${device.id}`);
    const held = [device, ...history.map(({ value }) => value)];
    if (held.some(({ speaksFor }) => speaksFor?.includes(id) === true)) senders.add(device.id);
  }
  return senders;
}

async function* entriesOf(
  journal: Journal,
  shard: number,
  { first, next }: Windows[number],
  senders: ReadonlySet<string> | undefined,
  onRead?: (count: number) => void,
): AsyncGenerator<Entry<Uplink>> {
  // What cannot be read, ingest has set aside as well.
  const span = { from: first, to: next, page: PAGE };
  for await (const entries of pagesOf(journal, 'uplink', shard, () => undefined, span)) {
    onRead?.(entries.length);
    for (const entry of entries)
      if (entry.offset < next && (senders === undefined || senders.has(entry.data.device))) yield entry;
  }
}

/** In the order in which they were appended: that in which ingest took them, up to the length of a batch. */
async function* merged<T>(sources: readonly AsyncGenerator<Entry<T>>[]): AsyncGenerator<Entry<T>> {
  const heads = await Promise.all(
    sources.map(async (source) => (await source.next()).value as Entry<T> | undefined),
  );
  for (;;) {
    let at = -1;
    for (const [i, head] of heads.entries())
      if (head !== undefined && head.appendedAt < (heads[at]?.appendedAt ?? Infinity)) at = i;
    const head = heads[at];
    if (head === undefined) return;
    yield head;
    heads[at] = (await sources[at]?.next())?.value as Entry<T> | undefined;
  }
}

async function* inPages<T>(entries: AsyncGenerator<T>): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const entry of entries) {
    page.push(entry);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
