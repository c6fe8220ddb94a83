import { settingAt } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import type { Entry } from '#libs/journal';
import {
  TopicMappings,
  type JournalRef,
  type Parameter,
  type TopicMapping,
  type Uplink,
} from '#libs/telemetry';
import type { GatewayDependencies } from '../dependencies.js';
import { shownPayload } from '../http/payload.js';
import { readEntry } from '../journal/read-entry.js';

/** Pantau's own form, which no codec reads. */
const OWN = 'pantau';

/** Where a reading comes from: its entry, the message, and what read that. */
export interface ReadingOrigin {
  readonly entry?: JournalRef;
  readonly message?: ReturnType<typeof shownMessage> & { readonly codec?: string };
  /** Why there is no message. */
  readonly missing?: string;
}

/** What is kept of where a stored reading comes from. */
export async function originOf(
  { evidence, journal, registry }: Pick<GatewayDependencies, 'evidence' | 'journal' | 'registry'>,
  device: string,
  parameter: Parameter,
  ts: number,
): Promise<ReadingOrigin> {
  const entry = await evidence.entryOf(device, parameter, ts);
  if (entry === undefined) return { missing: 'the evidence stage has not read it yet, or does not know it' };
  try {
    const { data } = await readEntry(journal, 'readings', entry.shard, entry.offset);
    const uplink = await readEntry(journal, 'uplink', data.uplink.shard, data.uplink.offset);
    const mapped = await registry.settings.history<readonly TopicMapping[]>('mappings');
    const mappings = settingAt(mapped, uplink.data.receivedAt)?.value ?? [];
    const codec = codecNameOf(uplink.data, mappings);
    return { entry, message: { ...shownMessage(uplink), ...(codec === undefined ? {} : { codec }) } };
  } catch (error) {
    // Retention may have taken either.
    if (error instanceof PantauError && error.code === 'NOT_FOUND') return { entry, missing: error.detail };
    throw error;
  }
}

function shownMessage({ shard, offset, data }: Entry<Uplink>) {
  const { device, topic, kind, receivedAt, qos, payload } = data;
  return {
    ...{ shard, offset, sender: device, topic, kind, qos, receivedAt: new Date(receivedAt).toISOString() },
    ...{ payloadBytes: payload.length, ...shownPayload(payload) },
  };
}

function codecNameOf({ kind, codec, topic }: Uplink, mappings: readonly TopicMapping[]): string | undefined {
  if (kind !== 'foreign') return OWN;
  return codec ?? new TopicMappings(mappings).match(topic)?.mapping.codec;
}
