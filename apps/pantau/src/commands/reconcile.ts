import { reconcile, type Reconciliation } from '#apps/gateway';
import { eachEntry } from '#libs/journal';
import { messageOf, PantauError, parseJson, REQUEST_BOUNDS } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import type { Observation } from '#libs/telemetry';
import type { TimeSeriesStore } from '#libs/timeseries';
import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { openStore, type Engines } from '../engines.js';
import { withEngines, type CommandContext } from './shared.js';

/** One line of the log that `pantau replay --acknowledged-log` writes. */
interface AcknowledgedLine {
  readonly device: string;
  readonly ts: number;
  readonly values?: Readonly<Record<string, number>>;
}

type Counting = Pick<TimeSeriesStore, 'count'>;

/** `pantau reconcile` */
export function addReconcileCommand(program: Command, context: CommandContext): void {
  const { print } = context;
  program
    .command('reconcile')
    .description(
      'neraca: terkirim, diakui, tersimpan, ditandai, ditolak / the account: sent, acknowledged, stored, flagged, refused',
    )
    .option('--device <id>', 'satu perangkat saja / one device alone')
    .option('--token <token>', 'token API, bila Pantau sedang berjalan / API token, when Pantau is running')
    .option(
      '--acknowledged-log <file>',
      'catatan dari "replay" untuk dicocokkan baris demi baris / log of "replay", to be checked line by line',
    )
    .action(async (options: { device?: string; token?: string; acknowledgedLog?: string }) =>
      withEngines(context, async (engines) => {
        const account = await withCount(context.config(), options.token, (store) =>
          reconcile(engines.journal, store, options.device),
        );
        for (const line of describe(account)) print(line);
        let isComplete = account.balanced;
        if (options.acknowledgedLog !== undefined) {
          const { lines, values, missing } = await checkLog(engines.journal, options.acknowledgedLog);
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

/** Counts in the store itself, or through the API of the Pantau that holds it. */
async function withCount<T>(
  config: LoadedConfig,
  token: string | undefined,
  work: (store: Counting) => Promise<T>,
): Promise<T> {
  if (token !== undefined) {
    const { host, port } = config.http;
    return work({
      async count({ device }) {
        const filter = device === undefined ? '' : `?device=${encodeURIComponent(device)}`;
        const response = await fetch(`http://${host}:${port}/api/v1/readings/count${filter}`, {
          headers: { authorization: `Bearer ${token}` },
        });
        const body = (await response.json()) as { readonly count?: number; readonly detail?: string };
        if (body.count === undefined)
          throw new PantauError(
            'STORE_UNAVAILABLE',
            `the API answers ${response.status}: ${body.detail ?? ''}`,
          );
        return body.count;
      },
    });
  }
  let store: TimeSeriesStore;
  try {
    store = await openStore(config);
  } catch (cause) {
    throw new PantauError('STORE_UNAVAILABLE', `the store cannot be opened: ${messageOf(cause)}`, {
      remedy: 'While Pantau is running, give an API token: --token <token>.',
      cause,
    });
  }
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

function describe({ messages, values, refusals, balanced }: Reconciliation): string[] {
  const { received, becameReadings, becameSignals, becameCommandResults, refused, ignored, repeated } =
    messages;
  const { byFlag } = values;
  const reasons = Object.entries(refusals).map(([reason, count]) => `${reason} ${count}`);
  return [
    `pesan diterima dan diakui / messages received and acknowledged  ${received}`,
    `  menjadi pembacaan / became readings                           ${becameReadings}`,
    `  menjadi tanda hidup, status, kejadian / became signals        ${becameSignals}`,
    `  menjadi hasil perintah / became results of commands           ${becameCommandResults}`,
    `  ditolak / refused                                             ${refused}`,
    `  tanpa isi yang disimpan / nothing to keep                     ${ignored}`,
    `  kiriman ulang / sent again                                    ${repeated}`,
    `  menunggu / waiting                                            ${messages.waiting}`,
    `  tanpa jejak / without a trace                                 ${messages.unaccounted}`,
    `nilai / values                                                  ${values.decoded}`,
    `  berbeda / distinct                                            ${values.distinct}`,
    `    lulus / pass ${byFlag[1]}, tidak dinilai / not evaluated ${byFlag[2]}, meragukan / suspect ${byFlag[3]}, gagal / fail ${byFlag[4]}`,
    `  menggantikan yang sama / replaced an equal one                ${values.replaced}`,
    `  tersimpan / stored                                            ${values.stored}`,
    `  ditolak basis data / refused by the store                     ${values.refusedByStore}`,
    `  menunggu / waiting                                            ${values.waiting}`,
    ...(reasons.length === 0 ? [] : [`alasan / reasons: ${reasons.join(', ')}`]),
    ...(balanced ? [] : ['selisih / difference: see above']),
  ];
}

/** Looks for every acknowledged value among the readings of the journal. */
async function checkLog(
  journal: Engines['journal'],
  file: string,
): Promise<{ readonly lines: number; readonly values: number; readonly missing: readonly string[] }> {
  const known = new Map<string, Set<number>>();
  const keep = (key: string, ts: number): void => {
    const times = known.get(key);
    if (times === undefined) known.set(key, new Set([ts]));
    else times.add(ts);
  };
  await eachEntry<Observation>(journal, 'readings', ({ data: { device, ts, readings } }) => {
    for (const { parameter } of readings) keep(`${device} ${parameter}`, ts);
  });
  let lines = 0;
  let values = 0;
  const missing: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line.trim() === '') continue;
    lines++;
    const { device, ts, values: stated = {} } = parseJson(line, REQUEST_BOUNDS, file) as AcknowledgedLine;
    for (const [parameter, value] of Object.entries(stated)) {
      values++;
      if (known.get(`${device} ${parameter}`)?.has(ts) === true) continue;
      missing.push(`${device} ${parameter} ${new Date(ts).toISOString()} ${value}`);
    }
  }
  return { lines, values, missing };
}
