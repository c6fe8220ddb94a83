#!/usr/bin/env node
import 'reflect-metadata';
import { canonicalJson, messageOf, PantauError, parseDuration } from '#libs/kernel';
import { ROLES, type Role } from '#libs/identity';
import { createLogger, loadConfig, type LoadedConfig } from '#libs/platform';
import { play, readPlan } from '#simulators/replay';
import { Command, InvalidArgumentError, Option } from 'commander';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeIndicator, registerPlan, runDemo, showProgress } from './demo.js';
import { openEngines, systemClock, type Engines } from './engines.js';
import { startPantau } from './runtime.js';

/** From `dist/apps/pantau/src` to the package. */
const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
const DEFAULT_CONFIG = join(PACKAGE, 'config', 'pantau.yaml');

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const program = new Command('pantau')
  .description('Pemantauan kualitas udara dan CCTV / monitoring of air quality and CCTV')
  .option('-c, --config <file>', 'konfigurasi / configuration (YAML)', DEFAULT_CONFIG)
  .showHelpAfterError();

function config(): LoadedConfig {
  return loadConfig(program.opts<{ config: string }>().config, process.env);
}

/** Runs a command on the data folder, beside a running Pantau or without one. */
async function withEngines(command: (engines: Engines) => Promise<void>): Promise<void> {
  const engines = await openEngines(config());
  try {
    await command(engines);
  } finally {
    await engines.close();
  }
}

program
  .command('start')
  .description('menjalankan Pantau / run Pantau in this process')
  .option('--demo', 'memutar ulang data nyata / replay real recorded data as MQTT devices', false)
  .action(async ({ demo }: { demo: boolean }) => {
    const loaded = config();
    const logger = createLogger(loaded.log.level, 'pantau');
    const abort = new AbortController();
    const stopped = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()));
    process.once('SIGTERM', () => abort.abort());
    process.once('SIGINT', () => abort.abort());
    const runtime = await startPantau(loaded, logger);
    const { mqttPort, httpPort, firstAdminToken } = runtime;
    if (firstAdminToken !== undefined) {
      print(`Token admin, hanya ditampilkan sekali / admin token, shown this once: ${firstAdminToken}`);
    }
    print(
      `Pantau siap / ready: MQTT mqtt://${loaded.mqtt.host}:${mqttPort}, API http://${loaded.http.host}:${httpPort}/api/docs, ${runtime.store}`,
    );
    try {
      if (demo) {
        await Promise.race([runDemo(runtime, print, abort.signal), runtime.failed]);
        if (!abort.signal.aborted)
          print(
            'Pantau tetap berjalan; hentikan dengan Ctrl-C. / Pantau keeps running; stop it with Ctrl-C.',
          );
      }
      await Promise.race([stopped, runtime.failed]);
    } finally {
      await runtime.stop();
    }
    print('Pantau berhenti dengan tertib. / Pantau stopped in order.');
  });

program
  .command('replay')
  .description('memutar ulang data rekaman sebagai perangkat MQTT / replay recorded data as MQTT devices')
  .argument('[plan]', 'demo, atau berkas YAML / or a YAML file', 'demo')
  .requiredOption(
    '--credentials <file>',
    'kata sandi per perangkat / password by device (JSON), as written by "device"',
  )
  .option('--url <url>', 'broker MQTT', 'mqtt://127.0.0.1:1883')
  .option('--speed <factor>', 'detik rekaman per detik / recorded seconds per second, or max', speed, 3600)
  .option('--restamp', 'geser waktu sehingga mulai sekarang / shift times to begin now', false)
  .option(
    '--acknowledged-log <file>',
    'catat setiap pesan yang diakui / record every acknowledged message (JSON lines)',
  )
  .action(
    async (
      plan: string,
      options: {
        credentials: string;
        url: string;
        speed: number | 'max';
        restamp: boolean;
        acknowledgedLog?: string;
      },
    ) => {
      const abort = new AbortController();
      process.once('SIGTERM', () => abort.abort());
      process.once('SIGINT', () => abort.abort());
      const report = await play({
        ...options,
        plan: readPlan(plan),
        passwords: readCredentials(options.credentials),
        clock: systemClock,
        signal: abort.signal,
        onProgress: showProgress(print),
      });
      print(
        `diakui / acknowledged: ${report.acknowledged} dari/of ${report.total} pesan/messages, ${report.values} nilai/values, ${Math.round(report.elapsedMs / 1000)} s`,
      );
      if (report.acknowledged < report.total) process.exitCode = 1;
    },
  );

const device = program
  .command('device')
  .description('perangkat dan kata sandinya / devices and their passwords');
const credentialsOption = (): Option =>
  new Option(
    '--credentials <file>',
    'tulis kata sandi ke berkas ini, bukan ke layar / write the password into this file (JSON), not to the screen',
  );

device
  .command('add')
  .description('mendaftarkan perangkat dan membuat kata sandinya / register a device and issue its password')
  .argument('<id>')
  .requiredOption('--site <id>', 'lokasi / site')
  .addOption(new Option('--kind <kind>', 'jenis / kind').choices(['air', 'camera']).default('air'))
  .option('--name <name>', 'nama / name')
  .option('--interval <duration>', 'seberapa sering melapor / how often it reports', interval, 60_000)
  .addOption(credentialsOption())
  .action(
    async (
      id: string,
      options: {
        site: string;
        kind: 'air' | 'camera';
        name?: string;
        interval: number;
        credentials?: string;
      },
    ) =>
      withEngines(async ({ registry, credentials }) => {
        if ((await registry.device(id)) !== undefined) {
          throw new PantauError('DEVICE_EXISTS', `the device ${id} is registered.`, {
            remedy: `For a new password: pantau device rotate ${id}`,
          });
        }
        if ((await registry.site(options.site)) === undefined)
          await registry.putSite({ id: options.site, name: options.site });
        await registry.putDevice({
          id,
          site: options.site,
          kind: options.kind,
          name: options.name ?? id,
          intervalMs: options.interval,
        });
        tell({ [id]: await credentials.issue(id) }, options.credentials);
      }),
  );

device
  .command('add-plan')
  .description(
    'mendaftarkan semua perangkat sebuah rencana putar ulang / register all devices of a replay plan',
  )
  .argument('<plan>', 'demo, atau berkas YAML / or a YAML file')
  .addOption(credentialsOption())
  .action(async (plan: string, options: { credentials?: string }) =>
    withEngines(async (engines) => tell(await registerPlan(engines, plan), options.credentials)),
  );

device
  .command('rotate')
  .description('membuat kata sandi baru / issue a new password')
  .argument('<id>')
  .addOption(credentialsOption())
  .action(async (id: string, options: { credentials?: string }) =>
    withEngines(async ({ registry, credentials }) => {
      if ((await registry.device(id)) === undefined)
        throw new PantauError('DEVICE_UNKNOWN', `no device ${id} is registered.`);
      tell({ [id]: await credentials.issue(id) }, options.credentials);
    }),
  );

device
  .command('list')
  .description('menampilkan perangkat / list the devices')
  .action(async () =>
    withEngines(async ({ registry, credentials }) => {
      for (const { id, site, kind, name } of await registry.devices()) {
        print(
          [
            id,
            site,
            kind,
            (await credentials.has(id))
              ? 'kata sandi ada / has a password'
              : 'tanpa kata sandi / no password',
            name,
          ].join('\t'),
        );
      }
    }),
  );

program
  .command('token')
  .description('token untuk API / tokens for the API')
  .command('create')
  .description(
    'membuat token; token lama bernama sama tidak berlaku lagi / make a token; an older one of that name ends',
  )
  .argument('<name>')
  .addOption(new Option('--role <role>', 'peran / role').choices(ROLES).default('evaluator'))
  .action(async (name: string, { role }: { role: Role }) =>
    withEngines(async ({ tokens }) => print(await tokens.create(name, role))),
  );

program
  .command('evidence')
  .description('indikator dan buktinya / indicators and their evidence')
  .command('show')
  .description('menampilkan satu indikator / show one indicator')
  .argument('<indicator>', 'env.aq.pm25_daily_mean, soc.cctv.availability')
  .argument('<device>')
  .argument('<date>', 'YYYY-MM-DD (Asia/Jakarta)')
  .option('--json', 'catatan lengkap / the whole record', false)
  .option(
    '--recompute',
    'hitung ulang dari jurnal dan bandingkan / compute again from the journal and compare',
    false,
  )
  .action(
    async (
      indicator: string,
      deviceId: string,
      date: string,
      { json, recompute }: { json: boolean; recompute: boolean },
    ) =>
      withEngines(async ({ evidence, recomputation }) => {
        const record = await evidence.get(indicator, deviceId, date);
        print(json ? canonicalJson(record) : describeIndicator(record));
        if (!recompute) return;
        const identical =
          canonicalJson(await recomputation.get(indicator, deviceId, date)) === canonicalJson(record);
        print(
          identical
            ? 'Sama byte demi byte dari jurnal. / The same, byte for byte, from the journal.'
            : 'BERBEDA dari jurnal! / NOT the same from the journal!',
        );
        if (!identical) process.exitCode = 1;
      }),
  );

function speed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const factor = Number(text);
  if (Number.isFinite(factor) && factor > 0) return factor;
  throw new InvalidArgumentError('expected a number above 0, or max');
}

function interval(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('expected a duration such as 30s or 1m');
  return ms;
}

function readCredentials(file: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch (cause) {
    throw new PantauError('CONFIG_UNREADABLE', `cannot read the credentials ${file}.`, {
      remedy: 'Make them: pantau device add-plan demo --credentials <file>',
      cause,
    });
  }
}

/** Shows new passwords once, or adds them to a file that only its owner can read. */
function tell(passwords: Readonly<Record<string, string>>, file: string | undefined): void {
  if (file === undefined) {
    for (const [id, password] of Object.entries(passwords)) print(`${id}\t${password}`);
    return;
  }
  const before = existsSync(file) ? readCredentials(file) : {};
  writeFileSync(file, `${JSON.stringify({ ...before, ...passwords }, null, 2)}\n`, { mode: 0o600 });
  print(`${Object.keys(passwords).length} kata sandi ditulis ke / passwords written to ${file}`);
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`pantau: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
