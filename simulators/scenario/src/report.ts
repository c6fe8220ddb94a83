import type { CheckReport } from './check/findings.js';
import type { Scenario } from './scenario.js';

/**
 * A report in Markdown: the scenario, what the check found, its tables and its pictures.
 *
 * @param pictures - file by caption
 */
export function reportOf(
  scenario: Scenario,
  report: CheckReport,
  pictures: ReadonlyMap<string, string>,
): string {
  const { name, file, from, to, devices } = scenario;
  const { title, rehearses, seed } = file;
  const span = `${new Date(from).toISOString()} – ${new Date(to).toISOString()}`;
  const outcome =
    report.problems.length === 0
      ? 'Pemeriksaan lulus. / The check passed.'
      : ['Pemeriksaan gagal / the check failed:', '', ...report.problems.map((each) => `- ${each}`)].join(
          '\n',
        );
  return `${[
    `# ${title.id} / ${title.en}`,
    `${rehearses.id} / ${rehearses.en}`,
    `\`${name}\`, seed ${seed}, ${devices.length} perangkat / devices, ${span}`,
    outcome,
    tableOf(report),
    ...notYetOf(scenario),
    ...Array.from(pictures, ([caption, path]) => `![${caption}](${path})`),
  ].join('\n\n')}\n`;
}

type Cell = string | number;

/** What a check found, as tables in Markdown. */
export function tableOf(report: CheckReport): string {
  const { messages, values, soundValues, flags, availability, alerts, means, indices, programmes } = report;
  const parts = [
    table(
      ['', 'dikirim / sent', 'sampai / arrived'],
      [
        ['pesan / messages', messages.sent, `${messages.acknowledged} diakui/acknowledged`],
        ['nilai / values', values.sent, `${values.stored} tersimpan/stored`],
        ['nilai benar / sound values', soundValues.count, `${soundValues.flagged} ditandai/flagged`],
      ],
    ),
  ];
  if (flags.length > 0)
    parts.push(
      table(
        ['gangguan / fault', 'nilai / values', 'ditandai / found', 'recall', 'precision'],
        flags.map(({ fault, falsified, found, recall, precision }) => [
          fault,
          falsified,
          found,
          recall.toFixed(3),
          precision.toFixed(3),
        ]),
      ),
    );
  if (availability.length > 0)
    parts.push(
      table(
        [
          'kamera / camera',
          'benar / true up s',
          'terlihat / seen up s',
          'tak diketahui / unknown s',
          'galat / error s',
        ],
        availability.map(({ device, trueUpSeconds, seenUpSeconds, unknownSeconds, errorSeconds }) => [
          device,
          Math.round(trueUpSeconds),
          Math.round(seenUpSeconds),
          Math.round(unknownSeconds),
          Number.isFinite(errorSeconds) ? Math.round(errorSeconds) : '-',
        ]),
      ),
    );
  if (alerts.length > 0)
    parts.push(
      table(
        [
          'aturan / rule',
          'seharusnya / expected',
          'menyala / raised',
          'hilang / missing',
          'palsu / extra',
          'terlambat / delay s',
        ],
        alerts.map(({ rule, expected, raised, missing, extra, delaySeconds }) => [
          rule,
          expected,
          raised,
          missing,
          extra,
          Math.round(delaySeconds),
        ]),
      ),
    );
  if (means.length > 0)
    parts.push(
      table(
        ['rata-rata harian / daily mean', 'tanggal / date', 'benar / true', 'terlihat / seen'],
        means.map(({ device, date, parameter, trueMean, seenMean }) => [
          `${device} ${parameter}`,
          date,
          trueMean.toFixed(1),
          seenMean === null ? '-' : seenMean.toFixed(1),
        ]),
      ),
    );
  if (indices.length > 0)
    parts.push(
      table(
        ['ISPU sekarang / current ISPU', 'benar / true', 'terlihat / seen'],
        indices.map(({ device, trueIndex, seenIndex }) => [device, trueIndex, seenIndex ?? '-']),
      ),
    );
  if (programmes.length > 0)
    parts.push(
      table(
        [
          'perangkat program / other device',
          'nilai / value',
          'dikirim / sent',
          'sampai / arrived',
          'sebagai / as',
        ],
        programmes.map(({ device, value, sent, arrived, as }) => [
          ...[device, value, sent, arrived],
          as === 'unknown_parameter' ? `ditolak/refused: ${as}` : as,
        ]),
      ),
    );
  return parts.join('\n\n');
}

/** What the scenario says that Pantau cannot do yet. */
export function notYetOf({ file }: Scenario): string[] {
  return file.expect.notYet.map(({ kind, says }) => `Belum / not yet (${kind}): ${says.id} / ${says.en}`);
}

/** A table whose columns line up as text too. */
function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_name, i) => Math.max(3, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[], fill = ' '): string =>
    `| ${widths.map((width, i) => (row[i] ?? '').padEnd(width, fill)).join(' | ')} |`;
  return [line(head), line([], '-'), ...cells.slice(1).map((row) => line(row))].join('\n');
}
