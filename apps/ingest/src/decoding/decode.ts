import {
  deviceOf,
  type Codec,
  type MappedTopic,
  type NativeResult,
  type Refusal,
  type TopicMapping,
  type Uplink,
} from '#libs/telemetry';
import { holdAt, type BatchDevices } from '../devices/batch-devices.js';
import type { IngestOptions } from '../ingest-options.js';

/** How a message of another maker is read: by the codec that it names itself, or that its topic is mapped to. */
export interface ChosenCodec {
  readonly codec: Codec | undefined;
  /** The name, also of a codec that does not exist. */
  readonly name: string | undefined;
  readonly matched: MappedTopic | undefined;
}

export function codecOf(
  { topic, codec }: Uplink,
  { codecs, mappings }: Pick<IngestOptions, 'codecs' | 'mappings'>,
): ChosenCodec {
  const matched = topic === '' ? undefined : mappings.match(topic);
  const name = codec ?? matched?.mapping.codec;
  return { codec: name === undefined ? undefined : codecs.get(name), name, matched };
}

/** Never throws. @param memory - what the codec wanted to be reminded of */
export function decodeForeign(
  uplink: Uplink,
  { codec, name, matched }: ChosenCodec,
  memory: unknown,
): NativeResult {
  const { topic, payload, receivedAt } = uplink;
  if (codec === undefined) {
    const detail =
      name === undefined
        ? `no mapping reads the topic ${topic.slice(0, 200)} any more`
        : `there is no codec ${name}`;
    return { outputs: [], refusals: [{ reason: 'unreadable', detail }] };
  }
  const { parts = {}, mapping } = matched ?? {};
  return codec.decode({ topic, parts, payload, receivedAt, utcOffsetMs: mapping?.utcOffsetMs, memory });
}

export type Owner = Pick<Uplink, 'site' | 'device'>;

/** Which device an output is about that names one, because the message speaks for several. */
export async function ownerOf(
  source: string,
  uplink: Uplink,
  mapping: TopicMapping | undefined,
  devices: BatchDevices,
): Promise<Owner | Refusal> {
  return ownerOfId(deviceOf(mapping ?? {}, source), source, uplink, devices);
}

/** @param source - what the message calls the device */
export async function ownerOfId(
  id: string,
  source: string,
  { site, device, receivedAt }: Uplink,
  devices: BatchDevices,
): Promise<Owner | Refusal> {
  if (id === device) return { site, device };
  const sender = await devices.find(device);
  holdAt(sender, receivedAt);
  const speaksFor = sender.held.registered?.speaksFor ?? [];
  const spokenFor = speaksFor.includes(id) ? await devices.find(id) : undefined;
  if (spokenFor !== undefined) holdAt(spokenFor, receivedAt);
  const other = spokenFor?.held.registered;
  return other === undefined
    ? {
        reason: 'unknown_device',
        detail: `"${source.slice(0, 100)}" is no device that ${device} speaks for`,
      }
    : { site: other.site, device: id };
}
