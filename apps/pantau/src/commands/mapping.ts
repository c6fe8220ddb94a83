import { mappingBody, mappingId, mappingText, storeMapping } from '#libs/identity';
import { defined, PantauError } from '#libs/kernel';
import { InvalidArgumentError, type Command } from 'commander';
import type { z } from 'zod';
import { withEngines, type CommandContext } from './shared.js';

interface MappingOptions {
  readonly pattern: string;
  readonly codec: string;
  readonly device?: string;
  readonly alias?: Readonly<Record<string, string>>;
  readonly utcOffset?: string;
}

/** `pantau mapping …`: how topics of other makers' devices are read, beside those of `pantau.yaml`. */
export function addMappingCommands(program: Command, context: CommandContext): void {
  const { print } = context;
  const mapping = program
    .command('mapping')
    .description("pemetaan topik perangkat merek lain / mappings of topics of other makers' devices");

  mapping
    .command('list')
    .description(
      'menampilkan pemetaan, menurut urutan dicoba / list the mappings, in the order in which they are tried',
    )
    .action(async () =>
      withEngines(context, async ({ registry }) => {
        for (const one of await registry.mappings()) {
          const { pattern, codec, device, aliases = {}, utcOffset } = mappingText(one);
          const names = Object.entries(aliases).map(([name, to]) => `${name}=${to}`);
          print(
            [
              one.id ?? 'pantau.yaml',
              ...[pattern, codec],
              [...(device === undefined ? [] : [device]), ...names].join(' ') || '–',
              utcOffset ?? '–',
            ].join('\t'),
          );
        }
      }),
    );

  mapping
    .command('set')
    .description(
      'membuat atau mengganti pemetaan; berlaku bagi kiriman berikutnya / make or replace a mapping; it holds from the next message on',
    )
    .argument('<id>', 'huruf kecil, angka, tanda hubung / lower-case letters, digits and hyphens')
    .requiredOption('--pattern <topic>', 'misalnya / such as tele/{device}/SENSOR')
    .requiredOption('--codec <name>', 'yang membacanya / that reads it, such as tasmota')
    .option('--device <id>', 'bila topiknya tidak menyebutnya / when the topic does not name it')
    .option(
      '--alias <name=device>',
      'nama perangkat di topik atau pesan, boleh berulang / what the topic or the message calls a device',
      alias,
    )
    .option(
      '--utc-offset <offset>',
      'waktu setempat perangkat tanpa zona, misalnya / of local times without a zone, such as +07:00',
    )
    .action(async (id: string, { pattern, codec, device, alias: aliases, utcOffset }: MappingOptions) =>
      withEngines(context, async ({ registry }) => {
        const name = parsed(mappingId, id, 'id');
        const body = parsed(mappingBody, { pattern, codec, ...defined({ device, aliases, utcOffset }) });
        const { loadCodecs } = await import('#devices/codecs');
        await storeMapping(registry, await loadCodecs(), name, body);
        print(`${id}: berlaku / in force`);
      }),
    );

  mapping
    .command('remove')
    .description(
      'menghapus pemetaan yang dibuat di sini; yang sudah terbaca tetap / remove one that was made here; what was read by it stays',
    )
    .argument('<id>')
    .action(async (id: string) =>
      withEngines(context, async ({ registry }) => {
        await registry.setMapping(id, undefined, (before) => {
          if (before !== undefined) return;
          throw new PantauError('NOT_FOUND', `no mapping ${id} was made.`, {
            remedy: 'List them: pantau mapping list. What stands in pantau.yaml is changed there.',
          });
        });
        print(`${id}: dihapus / removed`);
      }),
    );
}

/** One more name of a device. */
function alias(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.lastIndexOf('=');
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('expected name=device');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function parsed<T>(shape: z.ZodType<T>, value: unknown, of = ''): T {
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  const faults = read.error.issues.map(
    ({ path, message }) => `${[of, ...path].filter((part) => part !== '').join('.')}: ${message}`,
  );
  throw new PantauError('USAGE', `${faults.join('; ')}.`);
}
