import { deviceSchema, unchangedSince, type Device } from '#libs/identity';
import { canonicalJson, defined, PantauError } from '#libs/kernel';
import { configFile, readYamlFile } from '#libs/platform';
import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { sitesFileSchema } from '../../configuration/sites-file.js';
import { durationArgument, withEngines, type CommandContext } from '../shared.js';

interface Changes {
  readonly name?: string;
  readonly interval?: number;
  readonly from?: number;
  readonly maxAge?: number;
}

/** `pantau device set` */
export function addDeviceSet(device: Command, context: CommandContext, maxAge: string): void {
  device
    .command('set')
    .description('mengubah perangkat / change a device')
    .argument('<id>')
    .option('--name <name>', 'nama / name')
    .option('--interval <duration>', 'seberapa sering melapor / how often it reports', durationArgument)
    .option(
      '--from <time>',
      'sejak kapan selang itu sudah benar; hari-hari lama dihitung dengannya. Tanpa ini: mulai sekarang / since when that interval was true already; past days are computed with it. Without it: from now on',
      instant,
    )
    .option('--max-age <duration>', maxAge, durationArgument)
    .action(async (id: string, { name, interval, from, maxAge: maxAgeMs }: Changes) =>
      withEngines(context, async ({ registry }) => {
        const before = await registry.device(id);
        if (before === undefined) throw new PantauError('DEVICE_UNKNOWN', `no device ${id} is registered.`);
        if (from !== undefined && interval === undefined)
          throw new PantauError('USAGE', '--from says since when an interval was true.', {
            remedy: `Name it: --interval ${before.intervalMs / 1_000}s`,
          });
        const wanted = { ...before, ...defined({ name, intervalMs: interval, maxAgeMs }) };
        const after = deviceSchema.safeParse(wanted);
        if (!after.success)
          throw new PantauError('USAGE', after.error.issues.map(({ message }) => message).join('; '));
        const isChanged = canonicalJson(after.data) !== canonicalJson(before);
        if (isChanged) assertNotDeclared(id, context);
        else if (from === undefined)
          throw new PantauError('USAGE', `nothing of ${id} would change.`, {
            remedy: 'Give --name, --interval or --max-age.',
          });
        await registry.putDevice(after.data, from, unchangedSince(before));
        context.print(describe(after.data, from));
      }),
    );
}

/** What stands in `sites.yaml` is registered again from there at every start. */
function assertNotDeclared(id: string, context: CommandContext): void {
  const config = context.config();
  const { devices } = readYamlFile(configFile(config, config.sites), sitesFileSchema);
  if (devices.some((declared) => declared.id === id))
    throw new PantauError('USAGE', `${id} stands in sites.yaml, which is read at every start.`, {
      remedy: 'Change it there and restart; --from is given with this command afterwards.',
    });
}

function describe({ id, intervalMs }: Device, from: number | undefined): string {
  const since = from === undefined ? '' : new Date(from).toISOString();
  return `${id}: selang / interval ${intervalMs / 1_000}s${since === '' ? '' : `, sejak / since ${since}`}`;
}

function instant(text: string): number {
  const at = z.iso.datetime({ offset: true }).safeParse(text);
  if (!at.success)
    throw new InvalidArgumentError('expected a time with Z or an offset, such as 2026-01-31T00:00:00+07:00');
  return Date.parse(at.data);
}
