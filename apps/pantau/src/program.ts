import { canonicalJson, MINUTE, PantauError } from '#libs/kernel';
import { createLogger, loadConfig, type LoadedConfig } from '#libs/platform';
import type { Replay } from '#simulators/replay';
import { Command, InvalidArgumentError } from 'commander';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bridgeOptions } from './configuration/broker-options.js';
import { addAccessCommands } from './commands/access.js';
import { runningCommand, type RunningCommand } from './commands/audited.js';
import { addDeviceCommands } from './commands/device/device.js';
import { addExportCommand } from './commands/export.js';
import { addMappingCommands } from './commands/mapping.js';
import { addReconcileCommand } from './commands/reconcile.js';
import { addSimulateCommand } from './commands/simulate.js';
import { addSiteCommands } from './commands/site.js';
import {
  addressOf,
  durationArgument,
  readCredentials,
  withEngines,
  type CommandContext,
} from './commands/shared.js';
import { addUserCommands, baseAddress, tellFirstAccess } from './commands/user.js';
import { addUploadCommand } from './commands/upload.js';
import { systemClock } from './storage/engines.js';
import { endOnUnhandled, stopWithin } from './watchdog/last-resort.js';

/** From `dist/apps/pantau/src` to the package. */
export const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
const DEFAULT_CONFIG = join(PACKAGE, 'config', 'pantau.yaml');

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * Every command of `pantau`. What one command alone needs is loaded when it runs: loading everything takes a second, which
 * whoever lists devices in a shell loop waits for every time.
 */
export const program = new Command('pantau')
  .description('Pemantauan kualitas udara dan CCTV / monitoring of air quality and CCTV')
  .option('-c, --config <file>', 'konfigurasi / configuration (YAML)', DEFAULT_CONFIG)
  .showHelpAfterError();

/** Where people go: it is said first. */
const pageAddress = (config: LoadedConfig, port: number): string =>
  `halaman / page ${baseAddress(config, port)}/`;

function config(): LoadedConfig {
  return loadConfig(program.opts<{ config: string }>().config, process.env);
}

let running: RunningCommand | undefined;
program.hook('preAction', (_program, command) => {
  running = runningCommand(command);
});

const context: CommandContext = { config, print, running: () => running };

/** Where devices post, for people. */
function intakeAddress({ http, httpIntake }: LoadedConfig, port: number | undefined): readonly string[] {
  return port === undefined ? [] : [`HTTP http://${httpIntake.host ?? http.host}:${port}/api/v1/uplinks`];
}

program
  .command('start')
  .description('menjalankan Pantau / run Pantau in this process')
  .option(
    '--demo',
    'peragaan: sepekan data rekaman yang berakhir sekarang, lalu berlanjut langsung / demonstration: a recorded week that ends now and goes on live',
    false,
  )
  .action(async ({ demo }: { demo: boolean }) => {
    const loaded = config();
    endOnUnhandled();
    const [{ startPantau }, { runDemo }] = await Promise.all([
      import('./processes/runtime.js'),
      import('./demo.js'),
    ]);
    const logger = createLogger(loaded.log.level, 'pantau');
    const abort = new AbortController();
    const stopped = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()));
    process.once('SIGTERM', () => abort.abort());
    process.once('SIGINT', () => abort.abort());
    const runtime = await startPantau(loaded, logger);
    const { mqttPort, httpPort, intakePort } = runtime;
    tellFirstAccess(context, runtime);
    print(
      [
        `Pantau siap / ready: ${pageAddress(loaded, httpPort)}`,
        `MQTT mqtt://${loaded.mqtt.host}:${mqttPort}`,
        ...intakeAddress(loaded, intakePort),
        `API http://${loaded.http.host}:${httpPort}/api/docs`,
        runtime.store,
      ].join(', '),
    );
    try {
      if (demo) {
        const address = `http://${loaded.http.host}:${httpPort}`;
        await Promise.race([runDemo(runtime, address, print, abort.signal), runtime.failed]);
      }
      await Promise.race([stopped, runtime.failed]);
    } finally {
      await stopWithin(() => runtime.stop());
    }
    print('Pantau berhenti dengan tertib. / Pantau stopped in order.');
  });

program
  .command('run')
  .description(
    'sebagian tahap sebagai proses tersendiri, di samping yang lain pada folder data yang sama / some stages as a process of their own, beside others over the same data folder',
  )
  .argument(
    '<stage...>',
    'broker, http-intake, ingest, writer, alerts, evidence, tiers, gateway; yang memakai basis data tertanam harus dalam satu proses / those that use the embedded store in one process',
  )
  .option('--shards <list>', 'hanya pecahan ini / only these shards, such as 0,1; all by default', shardList)
  .action(async (names: string[], { shards }: { shards?: readonly number[] }) => {
    const loaded = config();
    endOnUnhandled();
    const { runProcess } = await import('./processes/run-process.js');
    const stopped = new Promise<void>((resolve) => {
      process.once('SIGTERM', () => resolve());
      process.once('SIGINT', () => resolve());
    });
    const running = await runProcess(names, loaded, createLogger(loaded.log.level, names.join('+')), shards);
    const { mqttPort, httpPort, intakePort } = running;
    tellFirstAccess(context, running);
    const ports = [
      ...(httpPort === undefined ? [] : [pageAddress(loaded, httpPort)]),
      ...(mqttPort === undefined ? [] : [`MQTT mqtt://${loaded.mqtt.host}:${mqttPort}`]),
      ...intakeAddress(loaded, intakePort),
      ...(httpPort === undefined ? [] : [`API http://${loaded.http.host}:${httpPort}/api/docs`]),
    ];
    print(['Pantau siap / ready: ' + names.join(' '), ...ports].join(', '));
    await stopped;
    await stopWithin(() => running.stop());
    print('Pantau berhenti dengan tertib. / Pantau stopped in order.');
  });

program
  .command('bridge')
  .description(
    'hanya jembatan ke broker MQTT 5, di samping Pantau yang berjalan / only the bridge to an MQTT 5 broker, beside a running Pantau',
  )
  .option('--client-id <id>', 'nama replika ini / name of this replica; each replica needs its own')
  .action(async ({ clientId }: { clientId?: string }) => {
    endOnUnhandled();
    const loaded = config();
    const { bridge: section } = loaded.mqtt;
    if (section === undefined)
      throw new PantauError('CONFIG_INVALID', 'mqtt.bridge is not set.', {
        remedy: 'Name the MQTT 5 broker: mqtt: { bridge: { url: mqtt://host:1883 } } in pantau.yaml.',
      });
    const logger = createLogger(loaded.log.level, 'bridge');
    const [{ Pulse, startWatchdog }, { Bridge }] = await Promise.all([
      import('./watchdog/watchdog.js'),
      import('#apps/broker'),
    ]);
    const pulse = new Pulse();
    startWatchdog(pulse, loaded.watchdog);
    await withEngines(context, async (engines) => {
      const options = bridgeOptions(section, loaded);
      const bridge = new Bridge(clientId === undefined ? options : { ...options, clientId }, {
        ...engines,
        clock: systemClock,
        logger,
        // Whether the Pantau that it stands beside hears its devices is that one's to say.
        othersListen: () => false,
      });
      await bridge.start();
      pulse.beat('main');
      print(`Jembatan berjalan / bridge running: ${section.url}`);
      await new Promise((resolve) => {
        process.once('SIGTERM', resolve);
        process.once('SIGINT', resolve);
      });
      await stopWithin(() => bridge.stop());
      print(`Jembatan berhenti / bridge stopped: ${bridge.received} pesan / messages`);
    });
  });

program
  .command('replay')
  .description('memutar ulang data rekaman sebagai perangkat MQTT / replay recorded data as MQTT devices')
  .argument(
    '[plan]',
    'demo, berkas YAML, atau berkas dari "export" / or a YAML file, or a file of "export"',
    'demo',
  )
  .requiredOption(
    '--credentials <file>',
    'kata sandi per perangkat / password by device (JSON), as written by "device"',
  )
  .option('--url <url>', 'broker MQTT', addressOf(['mqtt', 'mqtts', 'ws', 'wss']), 'mqtt://127.0.0.1:1883')
  .option(
    '--patience <duration>',
    'berapa lama menunggu broker / how long to wait for a broker that is away',
    durationArgument,
    MINUTE,
  )
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
        patience: number;
        acknowledgedLog?: string;
      },
    ) => {
      const abort = new AbortController();
      process.once('SIGTERM', () => abort.abort());
      process.once('SIGINT', () => abort.abort());
      const [{ isSegment, play, readPlan, readSegment, replayOf }, { showProgress }] = await Promise.all([
        import('#simulators/replay'),
        import('./demo.js'),
      ]);
      const shift = (from: number): number => (options.restamp ? systemClock.now() - from : 0);
      const replayed = (): Replay => {
        if (!isSegment(plan)) {
          const read = readPlan(plan);
          return replayOf(read, shift(read.from));
        }
        const segment = readSegment(plan);
        return segment.replay(shift(segment.from));
      };
      const report = await play({
        ...options,
        replay: replayed(),
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

addDeviceCommands(program, context);
addAccessCommands(program, context);
addUserCommands(program, context);
addSiteCommands(program, context);
addMappingCommands(program, context);
addReconcileCommand(program, context);
addUploadCommand(program, context);
addExportCommand(program, context);
addSimulateCommand(program, context, speed);

program
  .command('evidence')
  .description('indikator dan buktinya / indicators and their evidence')
  .command('show')
  .description('menampilkan satu indikator / show one indicator')
  .argument('<indicator>', 'env.aq.pm25_daily_mean, soc.cctv.availability')
  .argument('<subject>', 'perangkat, lokasi, kecamatan atau / device, site, district or regency')
  .argument('<period>', '2026-01-31T13, 2026-01-31, 2026-01, 2026-Q1, 2026 (Asia/Jakarta)')
  .option('--json', 'catatan lengkap / the whole record', false)
  .option(
    '--recompute',
    'hitung ulang dari jurnal dan bandingkan / compute again from the journal and compare',
    false,
  )
  .action(
    async (
      indicator: string,
      subject: string,
      period: string,
      { json, recompute }: { json: boolean; recompute: boolean },
    ) =>
      withEngines(context, async (engines) => {
        const { describeIndicator } = await import('./demo.js');
        const record = await engines.evidence.get(indicator, subject, period);
        const definition = engines.evidence.definition(indicator);
        print(json ? canonicalJson(record) : describeIndicator(record, definition));
        if (!recompute) return;
        const { describeRecomputation, recomputed } = await import('./verification/recomputation.js');
        const outcome = await recomputed(engines, context.config(), indicator, subject, period);
        for (const line of describeRecomputation(outcome)) print(line);
        if (outcome.result === 'different') process.exitCode = 1;
        if (outcome.result === 'not_verifiable') process.exitCode = 2;
      }),
  );

function shardList(text: string): readonly number[] {
  if (/^\d+(,\d+)*$/.test(text)) return [...new Set(text.split(',').map(Number))];
  throw new InvalidArgumentError('expected numbers such as 0,1');
}

function speed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const factor = Number(text);
  if (Number.isFinite(factor) && factor > 0) return factor;
  throw new InvalidArgumentError('expected a number above 0, or max');
}
