import { siteSchema, unchangedSince, type Site } from '#libs/identity';
import { DAY, defined, PantauError } from '#libs/kernel';
import type { Command } from 'commander';
import { durationArgument, finiteNumber, wholeNumber, withEngines, type CommandContext } from './shared.js';

/** `pantau site …` */
export function addSiteCommands(program: Command, context: CommandContext): void {
  const { print } = context;
  const site = program.command('site').description('lokasi / sites');

  site
    .command('add')
    .description('mendaftarkan lokasi / register a site')
    .argument('<id>', 'huruf kecil, angka, tanda hubung / lower-case letters, digits and hyphens')
    .requiredOption('--name <name>', 'nama / name')
    .option('--district <name>', 'kecamatan / district')
    .option('--latitude <degrees>', 'lintang / latitude', finiteNumber)
    .option('--longitude <degrees>', 'bujur / longitude', finiteNumber)
    .action(
      async (
        id: string,
        options: { name: string; district?: string; latitude?: number; longitude?: number },
      ) =>
        withEngines(context, async ({ registry }) => {
          const { name, district, latitude, longitude } = options;
          const wanted = siteSchema.safeParse({ id, name, ...defined({ district, latitude, longitude }) });
          if (!wanted.success)
            throw new PantauError(
              'USAGE',
              wanted.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
            );
          if ((await registry.site(id)) !== undefined)
            throw new PantauError('USAGE', `the site ${id} is registered already.`, {
              remedy: 'Choose another id; what stands in sites.yaml is changed there.',
            });
          await registry.putSite(wanted.data, unchangedSince<Site>(undefined));
          print(`${id}: terdaftar / registered`);
        }),
    );

  site
    .command('list')
    .description('menampilkan lokasi / list the sites')
    .action(async () =>
      withEngines(context, async ({ registry }) => {
        for (const { id, name, district = '–' } of await registry.sites())
          print([id, name, district].join('\t'));
      }),
    );

  site
    .command('key')
    .description(
      'kunci sekali-tampil agar perangkat lokasi ini mendaftar sendiri / a key with which devices of this site register themselves',
    )
    .argument('<site>')
    .option('--uses <count>', 'untuk berapa perangkat / for how many devices', wholeNumber, 1)
    .option('--for <duration>', 'masa berlaku / how long it is valid', durationArgument, 7 * DAY)
    .action(async (id: string, options: { uses: number; for: number }) =>
      withEngines(context, async ({ registry, keys }) => {
        await registry.assertSite(id);
        print(await keys.create(id, options.uses, options.for));
      }),
    );
}
