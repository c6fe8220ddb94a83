import { pagesOf } from '#libs/journal';
import type { Uplink } from '#libs/telemetry';
import type { SegmentLine } from '#simulators/replay';
import { InvalidArgumentError, type Command } from 'commander';
import { closeSync, openSync, writeSync } from 'node:fs';
import { collect, withEngines, type CommandContext } from './shared.js';

interface ExportOptions {
  readonly from: number;
  readonly to: number;
  readonly device: readonly string[];
  readonly anonymise: boolean;
}

const OWNER_ALONE = 0o600;

/** `pantau export`: a segment of the journal, to be replayed elsewhere. */
export function addExportCommand(program: Command, context: CommandContext): void {
  const { print } = context;
  program
    .command('export')
    .description(
      'menulis pesan MQTT dari jurnal ke berkas, untuk diputar ulang di tempat lain / write MQTT messages of the journal into a file, to be replayed elsewhere',
    )
    .argument('<file>', '.jsonl')
    .requiredOption('--from <instant>', 'tiba sejak / arrived from (ISO 8601)', instant)
    .requiredOption('--to <instant>', 'tiba sebelum / arrived before', instant)
    .option('--device <id>', 'hanya ini, boleh berulang / only this, may be repeated', collect, [])
    .option(
      '--anonymise',
      'tanpa nama: nomor untuk perangkat dan lokasi, tanpa teks bebas / numbers for devices and sites, no free text',
      false,
    )
    .action(async (file: string, { from, to, device: wanted, anonymise }: ExportOptions) =>
      withEngines(context, async ({ journal, registry }) => {
        const { Anonymiser } = await import('#simulators/replay');
        const devices = (await registry.devices()).filter(
          ({ id }) => wanted.length === 0 || wanted.includes(id),
        );
        const known = new Set(devices.map(({ id }) => id));
        const anonymiser = anonymise ? new Anonymiser(devices) : undefined;
        const out = openSync(file, 'w', OWNER_ALONE);
        const write = (line: SegmentLine): void => void writeSync(out, `${JSON.stringify(line)}\n`);
        let [written, left] = [0, 0];
        try {
          write({ type: 'segment', version: 1, from: iso(from), to: iso(to), anonymised: anonymise });
          for (const { id, site, kind, intervalMs } of devices)
            write({
              ...{
                type: 'device',
                device: anonymiser?.device(id) ?? id,
                site: anonymiser?.site(site) ?? site,
              },
              ...{ kind, intervalMs },
            });
          const add = (uplink: Uplink): void => {
            const { device, kind, receivedAt, payload: bytes } = uplink;
            if (receivedAt < from || receivedAt >= to || !known.has(device)) return;
            // The broker publishes wills again by itself.
            if (uplink.will) return;
            const payload =
              kind === 'foreign' || uplink.codec !== undefined
                ? undefined
                : anonymiser === undefined
                  ? Buffer.from(bytes)
                  : anonymiser.payload(kind, bytes);
            if (payload === undefined || kind === 'foreign') {
              left++;
              return;
            }
            written++;
            write({
              ...{ type: 'message', device: anonymiser?.device(device) ?? device, kind },
              ...{ receivedAt: iso(receivedAt), payload: payload.toString('base64') },
            });
          };
          for (let shard = 0; shard < journal.shards; shard++)
            for await (const entries of pagesOf(journal, 'uplink', shard, () => left++))
              for (const { data } of entries) add(data);
        } finally {
          closeSync(out);
        }
        print(
          `${written} pesan ditulis ke / messages written to ${file}; ${left} dilewati / left out` +
            ' (pesan pabrikan lain, tak terbaca, atau teks bebas / other makers’, unreadable, or free text)',
        );
      }),
    );
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function instant(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError('expected an instant such as 2026-01-01T00:00:00Z');
  return at;
}
