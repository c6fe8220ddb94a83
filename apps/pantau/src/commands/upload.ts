import type { CsvReport } from '#apps/http-intake';
import { messageOf, PantauError } from '#libs/kernel';
import { Option, type Command } from 'commander';
import { readFileSync } from 'node:fs';
import { addressOf, readCredentials, type CommandContext } from './shared.js';

interface UploadOptions {
  readonly device: string;
  readonly credentials: string;
  readonly url?: string;
  readonly utcOffset?: string;
  readonly decimal?: string;
  readonly order?: string;
  readonly dryRun: boolean;
}

type Answer = Partial<CsvReport> & { readonly code?: string; readonly detail?: string };

/** Lines of what would be stored that are shown. */
const SHOWN = 20;

/** `pantau upload`: the file of an offline logger, to a Pantau that is running. */
export function addUploadCommand(program: Command, { config, print }: CommandContext): void {
  program
    .command('upload')
    .description(
      'mengunggah CSV pencatat luring, dengan laporan per baris / upload the CSV of an offline logger, with a report by line',
    )
    .argument('<file>', 'CSV: ts,pm25,…')
    .requiredOption('--device <id>')
    .requiredOption(
      '--credentials <file>',
      'kata sandi per perangkat / password by device (JSON), as written by "device"',
    )
    .option(
      '--url <url>',
      'alamat API bila bukan mesin ini / address of the API when it is not this machine',
      addressOf(['http', 'https']),
    )
    .option('--utc-offset <offset>', 'waktu tanpa zona, misalnya / of times without a zone, such as +07:00')
    .addOption(new Option('--decimal <mark>', 'tanda desimal / decimal mark').choices(['comma', 'point']))
    .addOption(
      new Option(
        '--order <order>',
        'any: baris tanpa urutan, semua waktunya benar / in no order, all times are right',
      ).choices(['any']),
    )
    .option('--dry-run', 'hanya menilai, tidak menyimpan / only judge, store nothing', false)
    .action(async (file: string, options: UploadOptions) => {
      const { host, port } = config().http;
      const url = options.url ?? `http://${host}:${port}`;
      const { status, body } = await post(url, readCsv(file), options);
      if (body.lines === undefined) throw faultOf(url, status, body);
      for (const line of describeReport(body as CsvReport, status, options.dryRun)) print(line);
      if (body.refused !== 0) process.exitCode = 1;
    });
}

function faultOf(url: string, status: number, { code, detail = `HTTP ${status}` }: Answer): PantauError {
  if (code === 'INTAKE_UNAVAILABLE')
    return new PantauError(code, `nobody takes uplinks in at ${url} now.`, {
      remedy: 'Run http-intake beside the API, then send the file again.',
      transient: true,
    });
  return new PantauError(status >= 500 ? 'STORE_UNAVAILABLE' : 'USAGE', detail);
}

function readCsv(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new PantauError('USAGE', `cannot read ${file}.`, { cause });
  }
}

async function post(
  url: string,
  content: Buffer,
  { device, credentials, utcOffset, decimal, order, dryRun }: UploadOptions,
): Promise<{ readonly status: number; readonly body: Answer }> {
  const password = readCredentials(credentials)[device];
  if (password === undefined)
    throw new PantauError('USAGE', `${credentials} holds no password of ${device}.`, {
      remedy: `Make one: pantau device rotate ${device} --credentials ${credentials}`,
    });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ utcOffset, decimal, order, dryRun: String(dryRun) }))
    if (value !== undefined) query.set(name, value);
  try {
    const response = await fetch(
      `${url}/api/v1/uplinks/${encodeURIComponent(device)}/batch?${String(query)}`,
      {
        method: 'POST',
        headers: {
          'content-type': 'text/csv',
          authorization: `Basic ${Buffer.from(`${device}:${password}`).toString('base64')}`,
        },
        body: content,
      },
    );
    return { status: response.status, body: (await response.json()) as Answer };
  } catch (cause) {
    throw new PantauError('STORE_UNAVAILABLE', `no answer from ${url}: ${messageOf(cause)}`, {
      remedy: 'Start Pantau, or give its address with --url.',
      cause,
    });
  }
}

function describeReport(report: CsvReport, status: number, dryRun: boolean): string[] {
  const { lines, accepted, refused, read, problems, problemCount, wouldStore = [] } = report;
  return [
    ...(status === 400
      ? ['Berkas tidak jelas; tidak satu baris pun diambil. / Not clear as a whole; nothing was taken.']
      : []),
    `baris / lines ${lines}, ${dryRun ? 'akan diambil / would be taken' : 'diambil / taken'} ${accepted}, ditolak / refused ${refused}`,
    `waktu / times: ${read.time}, ${read.from ?? '–'} … ${read.to ?? '–'}; desimal / decimal mark: ${read.decimal ?? '–'}`,
    ...read.parameters.map(
      ({ parameter, unit, values, min, max }) => `  ${parameter}: ${values}, ${min} … ${max} ${unit}`,
    ),
    ...problems.flatMap(({ line, column, detail, remedy }) => [
      `baris / line ${line}${column === undefined ? '' : `, ${column}`}: ${detail}`,
      `  → ${remedy}`,
    ]),
    ...(problemCount > problems.length ? [`… ${problemCount - problems.length} lagi / more`] : []),
    ...wouldStore
      .slice(0, SHOWN)
      .map(({ line, ts, values }) => `  ${line}\t${ts}\t${JSON.stringify(values)}`),
    ...(wouldStore.length > SHOWN ? [`  … ${accepted - SHOWN} lagi / more`] : []),
    ...(dryRun ? ['Tidak ada yang disimpan. / Nothing was stored.'] : []),
  ];
}
