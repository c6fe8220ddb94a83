import type { DecoderChange } from '#libs/evidence';
import { settingAt, type SettingsHistory } from '#libs/identity';
import { TopicMappings, type TopicMapping, type Uplink } from '#libs/telemetry';
import { codecOf } from './decode.js';
import type { IngestOptions } from '../ingest-options.js';

/** The name of the setting that says which versions decode. */
export const DECODERS = 'decoders';

/** Stands for what decodes Pantau's own format and makes entries of what a codec read. */
const OWN = 'pantau';
/** Raised when ingest makes other entries of the same messages. */
const OWN_VERSION = 1;

/** The version of everything that decodes, by name. */
export function decoderVersions(codecs: IngestOptions['codecs']): Readonly<Record<string, number>> {
  const versions = [...codecs].map(([name, { version = 1 }]) => [name, version] as const);
  return { [OWN]: OWN_VERSION, ...Object.fromEntries(versions) };
}

/** Whether a message arrived under another version of what decodes it now; a codec that did not exist has version 0. */
export async function decoderChanges(
  { codecs, mappings }: IngestOptions,
  settings: SettingsHistory,
): Promise<(uplink: Uplink) => DecoderChange | undefined> {
  const present = decoderVersions(codecs);
  const recorded = await settings.history<Readonly<Record<string, number>>>(DECODERS);
  const mapped = await settings.history<readonly TopicMapping[]>('mappings');
  return (uplink) => {
    const then = settingAt(recorded, uplink.receivedAt)?.value;
    if (then === undefined) return undefined;
    const held = settingAt(mapped, uplink.receivedAt)?.value;
    const of = { codecs, mappings: held === undefined ? mappings : new TopicMappings(held) };
    const names = uplink.kind === 'foreign' ? [codecOf(uplink, of).name ?? OWN, OWN] : [OWN];
    const decoder = names.find((name) => then[name] !== present[name]);
    return decoder === undefined
      ? undefined
      : { decoder, then: then[decoder] ?? 0, now: present[decoder] ?? 0 };
  };
}
