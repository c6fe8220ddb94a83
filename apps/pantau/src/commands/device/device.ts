import { deviceSchema, type Device } from '#libs/identity';
import { defined, HOUR, MINUTE, PantauError } from '#libs/kernel';
import { Option, type Command } from 'commander';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { systemClock } from '../../storage/engines.js';
import { credentialSheet } from './credential-sheet.js';
import { addSensorsCommand } from './device-sensors.js';
import { addDeviceSet } from './device-set.js';
import { readDeviceList } from './device-list.js';
import {
  collect,
  credentialsOption,
  durationArgument,
  saveCredentials,
  tell,
  withEngines,
  writePrivately,
  type CommandContext,
} from '../shared.js';

const MAX_AGE =
  'selama ini sebelum tiba nilainya boleh diukur / how long before their arrival its readings may have been measured';
const KINDS = deviceSchema.shape.kind.options;
/** Passwords hashed at a time: each takes a thread and 16 MiB. */
const HASHES_AT_A_TIME = 4;
/** Devices between two times of saving and telling. */
const PROGRESS_STEP = 200;

/** `pantau device …` */
export function addDeviceCommands(program: Command, context: CommandContext): void {
  const { print } = context;
  const device = program
    .command('device')
    .description('perangkat dan kata sandinya / devices and their passwords');

  device
    .command('add')
    .description(
      'mendaftarkan perangkat dan membuat kata sandinya / register a device and issue its password',
    )
    .argument('<id>')
    .requiredOption('--site <id>', 'lokasi / site')
    .addOption(new Option('--kind <kind>', 'jenis / kind').choices(KINDS).default('air'))
    .option('--name <name>', 'nama / name')
    .option(
      '--interval <duration>',
      'seberapa sering melapor / how often it reports',
      durationArgument,
      MINUTE,
    )
    .option('--max-age <duration>', MAX_AGE, durationArgument)
    .option(
      '--speaks-for <device>',
      'perangkat lain yang dilaporkannya, boleh berulang / another device that it reports for, may be repeated',
      collect,
      [],
    )
    .addOption(credentialsOption())
    .action(
      async (
        id: string,
        options: {
          site: string;
          kind: Device['kind'];
          name?: string;
          interval: number;
          maxAge?: number;
          speaksFor: string[];
          credentials?: string;
        },
      ) =>
        withEngines(context, async ({ administration }) => {
          const { site, kind, name = id, interval: intervalMs, maxAge: maxAgeMs, speaksFor } = options;
          const password = await administration.addDevice({
            ...{ id, site, kind, name, intervalMs, ...defined({ maxAgeMs }) },
            ...(speaksFor.length === 0 ? {} : { speaksFor }),
          });
          tell(context, { [id]: password }, options.credentials);
        }),
    );

  device
    .command('add-plan')
    .description(
      'mendaftarkan semua perangkat sebuah rencana putar ulang / register all devices of a replay plan',
    )
    .argument(
      '<plan>',
      'demo, berkas YAML, atau berkas dari "export" / or a YAML file, or a file of "export"',
    )
    .addOption(credentialsOption())
    .action(async (plan: string, options: { credentials?: string }) =>
      withEngines(context, async (engines) => {
        const [{ registerPlan, registerSegment }, { isSegment, readPlan, readSegment }] = await Promise.all([
          import('../../demo.js'),
          import('#simulators/replay'),
        ]);
        const passwords = isSegment(plan)
          ? await registerSegment(engines, readSegment(plan))
          : await registerPlan(engines, readPlan(plan));
        tell(context, passwords, options.credentials);
      }),
    );

  device
    .command('import')
    .description(
      'mendaftarkan perangkat dari daftar CSV / register devices from a CSV list: id,site[,kind][,name][,interval][,max_age][,speaks_for]',
    )
    .argument('<file>')
    .requiredOption(
      '--credentials <file>',
      'tulis kata sandi ke berkas ini / write the passwords into this file (JSON)',
    )
    .option('--sheet <file>', 'lembar cetak untuk pemasang / a sheet to print for installers (HTML)')
    .option('--broker <address>', 'alamat broker di lembar cetak / address of the broker on the sheet')
    .action(async (file: string, options: { credentials: string; sheet?: string; broker?: string }) =>
      withEngines(context, async ({ administration, registry }) => {
        const listed = readDeviceList(readFileSync(file, 'utf8'), file);
        const known = new Set((await registry.devices()).map(({ id }) => id));
        const wanted = listed.filter(({ id }) => !known.has(id));
        for (const site of new Set(wanted.map((one) => one.site))) await registry.assertSite(site);
        assertWritable(options.credentials);
        if (options.sheet !== undefined) assertWritable(options.sheet);
        const made: { device: Device; password: string }[] = [];
        for (let from = 0; from < wanted.length; from += PROGRESS_STEP) {
          const step = wanted.slice(from, from + PROGRESS_STEP);
          // Saved step by step: an interrupted import goes on where it was when it is run again.
          const passwords = await mapConcurrently(step, HASHES_AT_A_TIME, (one) =>
            administration.addDevice(one),
          );
          step.forEach((one, i) => made.push({ device: one, password: passwords[i] ?? '' }));
          saveCredentials(
            Object.fromEntries(step.map(({ id }, i) => [id, passwords[i] ?? ''])),
            options.credentials,
          );
          print(`  ${made.length}/${wanted.length} perangkat terdaftar / devices registered`);
        }
        if (options.sheet !== undefined) {
          const { host, port } = context.config().mqtt;
          const broker = options.broker ?? `${host}:${String(port)}`;
          const madeAt = new Date(systemClock.now()).toISOString();
          writePrivately(options.sheet, credentialSheet(made, { broker, madeAt }));
        }
        print(
          `${made.length} perangkat baru / new devices, ${listed.length - wanted.length} sudah terdaftar / registered before; kata sandi di / passwords in ${options.credentials}`,
        );
      }),
    );

  addDeviceSet(device, context, MAX_AGE);

  device
    .command('rotate')
    .description(
      'membuat kata sandi baru; yang lama berakhir dan perangkat diputus / issue a new password; the old one ends and the device is disconnected',
    )
    .argument('<id>', 'perangkat atau akun layanan / device or service account')
    .addOption(credentialsOption())
    .action(async (id: string, options: { credentials?: string }) =>
      withEngines(context, async ({ administration }) =>
        tell(context, { [id]: await administration.rotate(id) }, options.credentials),
      ),
    );

  device
    .command('revoke')
    .description(
      'menutup akses perangkat dan memutusnya seketika; datanya tetap / shut a device out and disconnect it at once; its data stay',
    )
    .argument('<id>', 'perangkat atau akun layanan / device or service account')
    .action(async (id: string) =>
      withEngines(context, async ({ administration }) => {
        await administration.revoke(id);
        print(`${id}: akses ditutup / access revoked`);
      }),
    );

  device
    .command('token')
    .description('membuat kata sandi berumur pendek (JWT) / make a short-lived password (JWT)')
    .argument('<id>')
    .option('--for <duration>', 'masa berlaku / how long it is valid', durationArgument, HOUR)
    .action(async (id: string, options: { for: number }) =>
      withEngines(context, async ({ registry, accounts, deviceTokens }) => {
        if (((await registry.device(id)) ?? (await accounts.get(id))) === undefined)
          throw new PantauError('DEVICE_UNKNOWN', `no device or account ${id} is registered.`);
        print(await deviceTokens.issue(id, options.for));
      }),
    );

  addSensorsCommand(device, context);

  device
    .command('list')
    .description('menampilkan perangkat / list the devices')
    .action(async () =>
      withEngines(context, async ({ registry, credentials, state }) => {
        const devices = await registry.devices();
        const { deviceNotices } = await import('#apps/gateway');
        const notices = await deviceNotices(state, devices);
        for (const [i, { id, site, kind, name }] of devices.entries()) {
          const access = (await credentials.access(id)).revoked
            ? 'akses ditutup / revoked'
            : (await credentials.has(id))
              ? 'kata sandi ada / has a password'
              : 'tanpa kata sandi / no password';
          print([id, site, kind, access, name].join('\t'));
          const { nothingRead, unkeptInterval, lateHistory } = notices[i] ?? {};
          if (nothingRead !== undefined)
            print(
              `  ${nothingRead.message} ${nothingRead.reason}: ${nothingRead.detail}\n  ${nothingRead.remedy}`,
            );
          for (const notice of [unkeptInterval, lateHistory])
            if (notice !== undefined) print(`  ${notice.message}\n  ${notice.remedy}`);
        }
      }),
    );
}

/** Passwords that cannot be written down would be lost: found out before the first is made. */
function assertWritable(file: string): void {
  try {
    closeSync(openSync(file, 'a', 0o600));
    if (readFileSync(file).length === 0 && file.endsWith('.json')) writePrivately(file, '{}\n');
  } catch (cause) {
    throw new PantauError('USAGE', `cannot write ${file}; nothing was imported.`, {
      remedy: 'Choose a folder that exists and is writable.',
      cause,
    });
  }
}

async function mapConcurrently<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T);
    }),
  );
  return results;
}
