import { permissionsOf } from '#libs/identity';
import { defined, messageOf, PantauError } from '#libs/kernel';
import {
  caughtUp,
  check,
  Gallery,
  listScenarios,
  livePosition,
  notYetOf,
  PantauApi,
  readScenarioFile,
  registerFleet,
  reportOf,
  runScenario,
  scenarioOf,
  tableOf,
  type CheckReport,
  type RunProgress,
  type Scenario,
  type TruthRecord,
} from '#simulators/scenario';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { basename, join, parse } from 'node:path';
import { systemClock } from '../storage/engines.js';
import { withEngines, type CommandContext } from './shared.js';

export interface SimulateOptions {
  readonly list: boolean;
  readonly url?: string;
  readonly api?: string;
  readonly token?: string;
  readonly speed: number | 'max';
  readonly seed?: number;
  readonly start?: string;
  readonly scale?: number;
  readonly goOn?: number;
  readonly patience?: number;
  readonly truth?: string;
  readonly check: boolean;
  readonly report?: string;
}

const TOKEN_NAME = 'simulasi';

/** Rehearses a scenario against a running Pantau, or lists those that there are. */
export async function simulate(
  context: CommandContext,
  name: string | undefined,
  options: SimulateOptions,
): Promise<void> {
  const { print, config } = context;
  const isChecked = options.check || options.report !== undefined;
  if (options.list || name === undefined) {
    for (const { name: known, file } of listScenarios())
      print(`${known}\n  ${file.rehearses.id}\n  ${file.rehearses.en}`);
    return;
  }
  const { file } = readScenarioFile(name);
  const start = options.start === undefined ? undefined : Date.parse(options.start);
  if (start !== undefined && Number.isNaN(start))
    throw new PantauError(
      'USAGE',
      `--start: expected an instant such as 2023-10-01T00:00:00+07:00, found "${options.start ?? ''}".`,
    );
  // Said before anything is sent.
  if (options.report !== undefined) writeFileSync(options.report, '');
  if (options.goOn !== undefined && start !== undefined)
    throw new PantauError('USAGE', '--go-on ends the scenario now; it cannot have another --start.');
  const now = systemClock.now();
  const scenario = scenarioOf({
    name: basename(name, '.yaml'),
    file,
    now,
    seed: options.seed,
    start,
    scale: options.scale,
    goOn: options.goOn,
  });
  const { mqtt, http } = config();
  const url = options.url ?? `mqtt://${mqtt.host}:${mqtt.port === false ? 1883 : mqtt.port}`;
  const api = new PantauApi(
    options.api ?? `http://${http.host}:${http.port}`,
    options.token ?? (await localToken(context)),
  );
  await assertRules(
    api,
    file.expect.alerts.map(({ rule }) => rule),
  );
  print(`${file.title.id} / ${file.title.en}: ${scenario.devices.length} perangkat / devices`);
  const passwords = await registerFleet(scenario, api, now);

  const position = isChecked ? await livePosition(api) : '';
  const abort = new AbortController();
  process.once('SIGTERM', () => abort.abort());
  process.once('SIGINT', () => abort.abort());
  const truth: TruthRecord[] = [];
  const out = options.truth === undefined ? undefined : openSync(options.truth, 'w');
  const report = await runScenario({
    scenario,
    url,
    passwords,
    speed: options.speed,
    clock: systemClock,
    signal: abort.signal,
    ...defined({ patienceMs: options.patience }),
    onTruth: (record) => {
      if (isChecked) truth.push(record);
      if (out !== undefined) writeSync(out, `${JSON.stringify(record)}\n`);
    },
    onProgress: showRun(print),
  }).finally(() => {
    if (out !== undefined) closeSync(out);
  });
  print(
    `diakui / acknowledged: ${report.acknowledged} dari/of ${report.sent} pesan/messages, p50 ${report.latencyMs.p50.toFixed(1)} ms, p99 ${report.latencyMs.p99.toFixed(1)} ms`,
  );
  if (!report.complete) {
    print('Dihentikan sebelum selesai. / Ended before the scenario was over.');
    process.exitCode = 1;
    return;
  }
  if (!isChecked) return;
  await caughtUp(api, abort.signal);
  const gallery = new Gallery();
  const found = await check(scenario, truth, report, api, position, gallery);
  if (options.report !== undefined) writeReport(options.report, scenario, found, gallery);
  show(scenario, found, print);
}

const CAPTIONS: Readonly<Record<string, string>> = {
  stations: 'Stasiun: benar dan terlihat / stations: true and seen',
  cameras: 'Kamera: benar dan terlihat / cameras: true and seen',
};

/** Writes the report, and its pictures beside it. */
function writeReport(file: string, scenario: Scenario, found: CheckReport, gallery: Gallery): void {
  const { dir, name } = parse(file);
  const pictures = new Map<string, string>();
  for (const [picture, svg] of gallery.pictures(scenario, scenario.file.expect.alerts)) {
    const path = `${name}-${picture}.svg`;
    writeFileSync(join(dir, path), svg);
    pictures.set(CAPTIONS[picture] ?? picture, path);
  }
  writeFileSync(file, reportOf(scenario, found, pictures));
}

/** A token of this installation: the command runs beside its data folder. */
async function localToken(context: CommandContext): Promise<string> {
  let token = '';
  try {
    await withEngines(context, async ({ tokens }) => {
      token = await tokens.create(TOKEN_NAME, permissionsOf('administrator', 'token'));
    });
  } catch (cause) {
    throw new PantauError('USAGE', `no token for the API: ${messageOf(cause)}`, {
      remedy: 'Give one of an administrator: --token, or PANTAU_TOKEN.',
      cause,
    });
  }
  return token;
}

/** A scenario that speaks of a rule which Pantau does not have cannot be checked: said before anything is sent. */
async function assertRules(api: PantauApi, rules: readonly string[]): Promise<void> {
  const { items } = await api.get<{ items: { id: string }[] }>('rules');
  const known = items.map(({ id }) => id);
  const unknown = rules.filter((rule) => !known.includes(rule));
  if (unknown.length > 0)
    throw new PantauError(
      'CONFIG_INVALID',
      `the scenario expects alerts of ${unknown.join(', ')}, and Pantau has no such rule; it has ${known.join(', ')}.`,
      { remedy: 'Add the rule to rules.yaml, or name another one in expect.alerts.' },
    );
}

/** A line for every twentieth of the way, and one when devices wait. */
function showRun(print: (line: string) => void): (progress: RunProgress) => void {
  let shown = -1;
  return ({ devices, connected, simulatedAt, share, sent, acknowledged, rate, latencyMs, faults }) => {
    const step = Math.floor(20 * share);
    if (step === shown) return;
    shown = step;
    const active = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`);
    print(
      `  ${new Date(simulatedAt).toISOString()} · ${Math.floor(100 * share)} % · ${connected}/${devices} tersambung/connected · ${acknowledged}/${sent} diakui/acknowledged · ${Math.round(rate)}/s · p50 ${latencyMs.p50.toFixed(1)} p99 ${latencyMs.p99.toFixed(1)} ms${active.length > 0 ? ` · ${active.join(', ')}` : ''}`,
    );
  };
}

function show(scenario: Scenario, report: CheckReport, print: (line: string) => void): void {
  print(tableOf(report));
  for (const line of notYetOf(scenario)) print(line);
  for (const problem of report.problems) print(`GAGAL / FAILED: ${problem}`);
  if (report.problems.length > 0) process.exitCode = 1;
  else print('Pemeriksaan lulus. / The check passed.');
}
