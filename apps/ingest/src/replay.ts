import type { Device, Registry, SettingsHistory } from '#libs/identity';
import { pagesOf, type Entry, type Journal, type NewEntry } from '#libs/journal';
import { BatchContext, StageCache, StageState } from '#libs/journal-transport';
import { shardOf } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { Observation, Signal, Uplink } from '#libs/telemetry';
import type { IngestOptions } from './ingest-options.js';
import { UplinkController } from './uplink.controller.js';

const PAGE = 1_000;

/** What the bytes of a device say, as ingest reads them. */
export interface Replayed {
  readonly readings: readonly Observation[];
  /** Without those of the broker, which come from no message. */
  readonly signals: readonly Signal[];
  /** By shard the uplinks that were read: those of ingest's cursor and later ones were not. */
  readonly read: readonly { readonly shard: number; readonly first: number; readonly next: number }[];
}

/**
 * Reads the uplinks of a device, and of those that speak for it, from the oldest that is kept up to the cursor of ingest,
 * with the code of ingest and with the settings of their arrival; what is remembered is kept in memory and begins empty.
 * Reads whole shards: minutes on a large journal.
 */
export async function replayUplinks(
  journal: Journal,
  options: IngestOptions,
  device: string,
): Promise<Replayed> {
  const { registry } = options;
  const senders = await sendersOf(device, registry, options.settings ?? registry.settings);
  const read: { shard: number; first: number; next: number }[] = [];
  const sources: AsyncGenerator<Entry<Uplink>>[] = [];
  for (const shard of new Set([...senders].map((sender) => shardOf(sender, journal.shards)))) {
    const { first } = await journal.extent('uplink', shard);
    const next = await journal.position('ingest', 'uplink', shard);
    read.push({ shard, first, next });
    sources.push(entriesOf(journal, shard, first, next, senders));
  }
  const memory = new Map<string, unknown>();
  const store = memoryStore(memory);
  const controller = new UplinkController(options);
  const readings: Observation[] = [];
  const signals: Signal[] = [];
  const encode = (stream: string, entries: readonly NewEntry[]): [] => {
    for (const { key, data } of entries) {
      if (key !== device) continue;
      if (stream === 'readings') readings.push(data as Observation);
      else if (stream === 'signals') signals.push(data as Signal);
    }
    return [];
  };
  for await (const batch of inPages(merged(sources))) {
    const state = new StageState(store, new StageCache());
    const { shard = 0 } = batch[0] ?? {};
    const context = new BatchContext({ stage: 'ingest', stream: 'uplink', shard }, state, { encode });
    await controller.uplink(batch, context);
    await context.end();
    for (const { namespace, key, value } of state.writes()) memory.set(`${namespace} ${key}`, value);
  }
  return { readings, signals, read };
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

function memoryStore(memory: ReadonlyMap<string, unknown>): Pick<StateStore, 'get' | 'getMany'> {
  const get = <T>(namespace: string, key: string): T | undefined => memory.get(`${namespace} ${key}`) as T;
  return {
    get: async <T>(namespace: string, key: string) => get<T>(namespace, key),
    getMany: async <T>(namespace: string, keys: readonly string[]) =>
      keys.map((key) => get<T>(namespace, key)),
  };
}

async function* entriesOf(
  journal: Journal,
  shard: number,
  first: number,
  next: number,
  senders: ReadonlySet<string>,
): AsyncGenerator<Entry<Uplink>> {
  // What cannot be read, ingest has set aside as well.
  const span = { from: first, to: next, page: PAGE };
  for await (const entries of pagesOf(journal, 'uplink', shard, () => undefined, span))
    for (const entry of entries) if (senders.has(entry.data.device)) yield entry;
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
