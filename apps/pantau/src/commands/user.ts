import { ROLES, type Role } from '#libs/identity';
import { defined, PantauError } from '#libs/kernel';
import { Option, type Command } from 'commander';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedConfig } from '#libs/platform';
import { withEngines, writePrivately, type CommandContext } from './shared.js';

const LINK_FILE = 'setup-link.txt';

/** `pantau user …`: people, also while nobody can sign in. */
export function addUserCommands(program: Command, context: CommandContext): void {
  const { print } = context;
  const user = program.command('user').description('orang yang boleh masuk / people who sign in');
  const tellLink = (name: string, link: string): void => {
    print(`${name}: tautan sekali pakai untuk menetapkan kata sandi / one-time link to set the password:`);
    print(linkAddress(context.config(), link));
  };

  user
    .command('add')
    .description('menambah orang; mencetak tautan sekali pakai / add somebody; prints a one-time link')
    .argument('<name>', 'huruf kecil, angka, titik, tanda hubung / lower-case letters, digits, dots, hyphens')
    .addOption(new Option('--role <role>', 'peran / role').choices(ROLES).default('viewer'))
    .option('--full-name <name>', 'nama lengkap / full name')
    .action(async (name: string, { role, fullName }: { role: Role; fullName?: string }) =>
      withEngines(context, async ({ users }) => {
        if ((await users.find(name)) !== undefined)
          throw new PantauError('USAGE', `${name} is there already.`, {
            remedy: `For a new link: pantau user reset ${name}`,
          });
        await users.put(name, { role, disabled: false, ...defined({ fullName }) });
        tellLink(name, await users.link(name));
      }),
    );

  user
    .command('list')
    .description('menampilkan orang / list the people')
    .action(async () =>
      withEngines(context, async ({ users }) => {
        for (const { name, role, fullName, disabled, hasPassword } of await users.list())
          print(
            [
              ...[name, role, fullName ?? '–'],
              disabled ? 'dicabut / revoked' : hasPassword ? 'aktif / active' : 'belum masuk / has a link',
            ].join('\t'),
          );
      }),
    );

  user
    .command('reset')
    .description(
      'tautan untuk kata sandi baru; juga membuka kembali yang dicabut / a link for a new password; lets somebody back in who was revoked',
    )
    .argument('<name>')
    .option('--second-factor', 'cabut juga faktor kedua / take the second factor away, too', false)
    .action(async (name: string, options: { secondFactor: boolean }) =>
      withEngines(context, async ({ users, secondFactor }) => {
        const { role, fullName } = await users.get(name);
        if (options.secondFactor) await secondFactor.remove(name);
        await users.put(name, { role, disabled: false, ...defined({ fullName }) });
        tellLink(name, await users.link(name));
      }),
    );

  user
    .command('recover')
    .description(
      'membuat orang ini administrator lagi tanpa faktor kedua dan mencetak tautan, bila tidak ada yang dapat masuk; Pantau boleh sedang berhenti / make somebody an administrator without a second factor and print a link, where nobody gets in any more; Pantau may be stopped',
    )
    .argument('<name>')
    .action(async (name: string) =>
      withEngines(context, async ({ users, secondFactor }) => {
        const fullName = (await users.find(name))?.fullName;
        await users.put(name, { role: 'administrator', disabled: false, ...defined({ fullName }) });
        await secondFactor.remove(name);
        tellLink(name, await users.link(name));
      }),
    );

  user
    .command('revoke')
    .description(
      'menolak orang ini mulai sekarang, mengakhiri sesi dan tokennya / keep somebody out from now on; ends sessions and tokens',
    )
    .argument('<name>')
    .action(async (name: string) =>
      withEngines(context, async ({ users }) => {
        const { role, fullName } = await users.get(name);
        await users.put(name, { role, disabled: true, ...defined({ fullName }) });
        print(`${name}: dicabut / revoked`);
      }),
    );
}

/** Where a link leads; what makes it valid stands behind `#`, which no browser sends and no proxy writes down. */
function linkAddress(config: LoadedConfig, link: string, port = config.http.port): string {
  return `${baseAddress(config, port)}/link#${link}`;
}

/** Where people reach Pantau, without a slash at its end. */
export function baseAddress({ http: { publicUrl, host } }: LoadedConfig, port: number): string {
  return publicUrl === undefined ? `http://${host}:${port}` : `${publicUrl.origin}${publicUrl.path}`;
}

/** Tells how the first administrator gets in: on the screen, and in a file that its owner alone can read. */
export function tellFirstAccess(
  { config, print }: CommandContext,
  running: {
    readonly httpPort: number | undefined;
    readonly firstAdminToken: string | undefined;
    readonly setupLink: string | undefined;
  },
): void {
  const { firstAdminToken, setupLink, httpPort } = running;
  const file = join(config().data, LINK_FILE);
  if (firstAdminToken !== undefined)
    print(`Token admin, hanya ditampilkan sekali / admin token, shown this once: ${firstAdminToken}`);
  // Of several processes the one that people reach has it.
  if (httpPort === undefined) return;
  if (setupLink === undefined) {
    rmSync(file, { force: true });
    return;
  }
  const address = linkAddress(config(), setupLink, httpPort);
  writePrivately(file, `${address}\n`);
  print(
    `Tautan sekali pakai bagi administrator pertama / one-time link for the first administrator: ${address}`,
  );
}
