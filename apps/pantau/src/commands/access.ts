import {
  PERMISSIONS,
  permissionsOf,
  ROLES,
  TOKEN_LIFETIME,
  TOKEN_SCOPES,
  type Permission,
  type Role,
} from '#libs/identity';
import { Option, type Command } from 'commander';
import {
  collect,
  credentialsOption,
  durationArgument,
  tell,
  withEngines,
  type CommandContext,
} from './shared.js';

interface TokenOptions {
  readonly role: Role | 'admin';
  readonly scope?: readonly Permission[];
  readonly site?: readonly string[];
  readonly for: number;
}

/** `pantau token …`, `pantau account …`: who may use what. */
export function addAccessCommands(program: Command, context: CommandContext): void {
  const { print } = context;

  const token = program.command('token').description('token untuk API / tokens for the API');

  token
    .command('create')
    .description(
      'membuat token; token lama bernama sama tidak berlaku lagi / make a token; an older one of that name ends',
    )
    .argument('<name>')
    .addOption(
      new Option('--role <role>', 'semua izin peran ini / all that this role allows')
        .choices([...ROLES, 'admin'])
        .default('evaluator'),
    )
    .addOption(
      new Option('--scope <permission...>', 'hanya izin ini / only these permissions').choices(TOKEN_SCOPES),
    )
    .option('--site <site...>', 'hanya lokasi ini / only of these sites')
    .option('--for <duration>', 'masa berlaku / how long it is valid', durationArgument, TOKEN_LIFETIME)
    .action(async (name: string, options: TokenOptions) =>
      withEngines(context, async ({ tokens, registry }) => {
        const { site: sites } = options;
        for (const site of sites ?? []) await registry.assertSite(site);
        // As it was called before there were people.
        const role = options.role === 'admin' ? 'administrator' : options.role;
        const ofRole = permissionsOf(role, 'token').filter(
          (permission) => sites === undefined || PERMISSIONS[permission].bySite,
        );
        print(await tokens.create(name, options.scope ?? ofRole, options.for, undefined, sites));
      }),
    );

  token
    .command('list')
    .description('menampilkan token / list the tokens')
    .action(async () =>
      withEngines(context, async ({ tokens }) => {
        const at = (time: number | undefined): string =>
          time === undefined ? '–' : new Date(time).toISOString();
        for (const { name, scopes, sites, expiresAt, lastUsedAt } of await tokens.list())
          print(
            `${name}\t${scopes.join(' ') || '–'}${sites === undefined ? '' : ` @ ${sites.join(' ') || '–'}`}\tberlaku sampai / valid until: ${at(expiresAt)}\tterakhir dipakai / last used: ${at(lastUsedAt)}`,
          );
      }),
    );

  token
    .command('revoke')
    .description('mengakhiri token / end a token')
    .argument('<name>')
    .action(async (name: string) =>
      withEngines(context, async ({ tokens }) => {
        await tokens.revoke(name);
        print(`${name}: diakhiri / ended`);
      }),
    );

  const account = program
    .command('account')
    .description('akun layanan untuk integrasi / service accounts for integrations');

  account
    .command('put')
    .description(
      'membuat atau mengubah akun; kata sandi hanya untuk yang baru / make or change an account; a new one gets a password',
    )
    .argument('<id>')
    .option(
      '--publish <filter>',
      'topik yang boleh ditulis, boleh berulang / topics it may write to',
      collect,
      [],
    )
    .option(
      '--subscribe <filter>',
      'topik yang boleh dibaca, boleh berulang / topics it may read',
      collect,
      [],
    )
    .addOption(credentialsOption())
    .action(async (id: string, options: { publish: string[]; subscribe: string[]; credentials?: string }) =>
      withEngines(context, async ({ administration }) => {
        const { publish, subscribe } = options;
        const password = await administration.putAccount({ id, publish, subscribe });
        if (password === undefined) print(`${id}: hak diubah / filters changed`);
        else tell(context, { [id]: password }, options.credentials);
      }),
    );

  account
    .command('list')
    .description('menampilkan akun layanan / list the service accounts')
    .action(async () =>
      withEngines(context, async ({ accounts }) => {
        for (const { id, publish, subscribe } of await accounts.list())
          print(`${id}\tpublish: ${publish.join(' ') || '–'}\tsubscribe: ${subscribe.join(' ') || '–'}`);
      }),
    );

  account
    .command('remove')
    .description('menghapus akun dan memutusnya / remove an account and disconnect it')
    .argument('<id>')
    .action(async (id: string) =>
      withEngines(context, async ({ administration }) => {
        await administration.removeAccount(id);
        print(`${id}: dihapus / removed`);
      }),
    );
}
