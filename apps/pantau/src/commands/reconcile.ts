import { outcomeLines, valueLines } from './describe-account.js';
import type { CheckProgress, FullCheck, FullCheckStatus, Reconciliation } from '#apps/gateway';
import { eachEntry, type Entry } from '#libs/journal';
import { messageOf, PantauError, parseJson, REQUEST_BOUNDS } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import type { Observation } from '#libs/telemetry';
import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { openStore, type Engines } from '../storage/engines.js';
import { describeCheck } from './describe-check.js';
import { withEngines, type CommandContext } from './shared.js';

/** One line of the log that `pantau replay --acknowledged-log` writes. */
interface AcknowledgedLine {
  readonly device: string;
  readonly ts: number;
  readonly values?: Readonly<Record<string, number>>;
}

interface Options {
  readonly full: boolean;
  readonly device?: string;
  readonly token?: string;
  readonly acknowledgedLog?: string;
}

/** `pantau reconcile` */
export function addReconcileCommand(program: Command, context: CommandContext): void {
  const { print } = context;
  program
    .command('reconcile')
    .description(
      'neraca: terkirim, diakui, tersimpan, ditandai, ditolak / the account: sent, acknowledged, stored, flagged, refused',
    )
    .option(
      '--full',
      'periksa juga seluruh jurnal dan basis data / go through the whole journal and the store as well',
      false,
    )
    .option('--device <id>', 'pemeriksaan penuh satu perangkat saja / a full check of one device alone')
    .option('--token <token>', 'token API, bila Pantau sedang berjalan / API token, when Pantau is running')
    .option(
      '--acknowledged-log <file>',
      'catatan dari "replay" untuk dicocokkan baris demi baris / log of "replay", to be checked line by line',
    )
    .action(async (options: Options) =>
      withEngines(context, async (engines) => {
        const { device, acknowledgedLog } = options;
        if (device !== undefined && (await engines.registry.device(device)) === undefined)
          throw new PantauError('DEVICE_UNKNOWN', `no device ${device} is registered.`, {
            remedy: 'List them: pantau device list.',
          });
        let isComplete = true;
        if (device === undefined) {
          const { reconcile } = await import('#apps/gateway');
          const account = await reconcile(engines.journal, engines.account);
          for (const line of describe(account)) print(line);
          isComplete = account.balanced;
        }
        if (options.full || device !== undefined) {
          const check = await runCheck(context, engines, options);
          for (const line of describeCheck(check)) print(line);
          isComplete &&= check.balanced;
        }
        if (acknowledgedLog !== undefined) {
          const { lines, values, missing } = await checkLog(engines.journal, acknowledgedLog);
          print(
            `catatan / log: ${lines} pesan diakui / messages acknowledged, ${values} nilai / values, ${missing.length} hilang / missing`,
          );
          for (const one of missing.slice(0, 20)) print(`  hilang / missing: ${one}`);
          isComplete &&= missing.length === 0;
        }
        print(isComplete ? 'Seimbang. / It adds up.' : 'TIDAK seimbang! / It does NOT add up!');
        if (!isComplete) process.exitCode = 1;
      }),
    );
}

/** In this process, or as the job of the Pantau that holds the store. */
async function runCheck(
  context: CommandContext,
  engines: Engines,
  { device, token }: Options,
): Promise<FullCheck> {
  const config = context.config();
  const showProgress = progressOf(context.print);
  const abort = new AbortController();
  const cancel = (): void => abort.abort(new PantauError('USAGE', 'the check was cancelled.'));
  process.once('SIGINT', cancel);
  process.once('SIGTERM', cancel);
  const { signal } = abort;
  try {
    if (token !== undefined) return await runJob(config, device, token, showProgress, signal);
    const store = await openStore(config).catch((cause: unknown) => {
      throw new PantauError('STORE_UNAVAILABLE', `the store cannot be opened: ${messageOf(cause)}`, {
        remedy: 'While Pantau is running, give an API token: --token <token>.',
        cause,
      });
    });
    try {
      const onProgress = ({ done, total }: CheckProgress): void => showProgress(done, total);
      const { checkAll } = await import('../verification/full-check.js');
      return await checkAll(engines, config, store, device, signal, onProgress);
    } finally {
      await store.close();
    }
  } finally {
    process.off('SIGINT', cancel);
    process.off('SIGTERM', cancel);
  }
}

const POLL_MS = 200;

async function runJob(
  config: LoadedConfig,
  device: string | undefined,
  token: string,
  showProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<FullCheck> {
  const ask = async (method: 'GET' | 'POST' | 'DELETE'): Promise<FullCheckStatus> => {
    const url = `http://${config.http.host}:${config.http.port}/api/v1/reconciliation/check`;
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: JSON.stringify(device === undefined ? {} : { device }) } : {}),
    }).catch((cause: unknown) => {
      throw new PantauError('STORE_UNAVAILABLE', `Pantau does not answer at ${url}.`, {
        remedy: 'When it is not running, leave --token out.',
        cause,
      });
    });
    const body = (await response.json()) as FullCheckStatus & { readonly detail?: string };
    if (!response.ok)
      throw new PantauError('CHECK_FAILED', `the API answers ${response.status}: ${body.detail ?? ''}`);
    return body;
  };
  await ask('POST');
  for (;;) {
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) {
      await ask('DELETE');
      signal.throwIfAborted();
    }
    const { state, progress, result, problem } = await ask('GET');
    if (progress !== undefined) showProgress(progress.done, progress.total);
    if (result !== undefined) return result;
    if (state !== 'running')
      throw new PantauError('CHECK_FAILED', problem ?? `the check was ${state} by somebody else.`);
  }
}

function progressOf(print: (line: string) => void): (done: number, total: number) => void {
  let shown = 0;
  return (done, total) => {
    const tenth = Math.floor((10 * done) / Math.max(1, total));
    if (tenth > shown && tenth < 10)
      print(`  ${tenth * 10} % · ${done}/${total} entri jurnal diperiksa / journal entries checked`);
    shown = Math.max(shown, tenth);
  };
}

function describe({ messages, values, refusals, takenByRetention, balanced }: Reconciliation): string[] {
  const reasons = Object.entries(refusals).map(([reason, count]) => `${reason} ${count}`);
  return [
    `pesan diterima dan diakui / messages received and acknowledged  ${messages.received}`,
    ...outcomeLines(messages),
    `  menunggu / waiting                                            ${messages.waiting}`,
    ...line('  dihapus retensi sebelum dibaca / lost to retention unread     ', messages.lostToRetention),
    ...line('  dari sebelum penghitungan / from before counting began        ', messages.beforeCounting),
    `  tanpa jejak / without a trace                                 ${messages.unaccounted}`,
    ...valueLines(values),
    `  dinilai ulang / judged again                                  ${values.amended}`,
    `ditulis ke basis data / written to the store                    ${values.written}`,
    `  ditolak basis data / refused by the store                     ${values.refusedByStore}`,
    `  menunggu ditulis / waiting to be written                      ${values.waiting}`,
    ...line(
      'pesan yang sudah dihapus retensi / messages since taken by retention',
      takenByRetention.messages,
    ),
    ...line(
      'pembacaan yang sudah dihapus retensi / observations since taken by retention',
      takenByRetention.observations,
    ),
    ...(reasons.length === 0 ? [] : [`alasan / reasons: ${reasons.join(', ')}`]),
    ...(balanced ? [] : ['selisih / difference: see above']),
  ];
}

/** A line for what is nearly always nothing. */
function line(label: string, count: number): string[] {
  return count === 0 ? [] : [`${label}  ${count}`];
}

/** Lines of the log that are looked for at a time. */
const LINES_AT_ONCE = 200_000;

/** Looks for every acknowledged value among the readings of the journal. */
async function checkLog(
  journal: Engines['journal'],
  file: string,
): Promise<{ readonly lines: number; readonly values: number; readonly missing: readonly string[] }> {
  let lines = 0;
  let values = 0;
  const missing: string[] = [];
  let wanted = new Map<string, number>();
  const lookFor = async (): Promise<void> => {
    const strike = ({ data: { device, ts, readings } }: Entry<Observation>): void => {
      for (const { parameter } of readings) wanted.delete(`${device} ${parameter} ${ts}`);
    };
    // What cannot be read is missing.
    await eachEntry(journal, 'readings', strike, () => undefined);
    for (const [key, value] of wanted) {
      const [device, parameter, ts] = key.split(' ');
      missing.push(`${device} ${parameter} ${new Date(Number(ts)).toISOString()} ${value}`);
    }
    wanted = new Map();
  };
  for await (const text of createInterface({ input: createReadStream(file) })) {
    if (text.trim() === '') continue;
    lines++;
    const { device, ts, values: stated = {} } = parseJson(text, REQUEST_BOUNDS, file) as AcknowledgedLine;
    for (const [parameter, value] of Object.entries(stated)) {
      values++;
      wanted.set(`${device} ${parameter} ${ts}`, value);
    }
    if (wanted.size >= LINES_AT_ONCE) await lookFor();
  }
  await lookFor();
  return { lines, values, missing };
}
