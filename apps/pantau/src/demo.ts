import { devicesOf, play, readPlan, type Progress } from '#simulators/replay';
import { readPage } from '#libs/journal';
import { DAY, HOUR, localDateOf, MINUTE } from '#libs/kernel';
import { alertEventOf } from '#libs/alerting';
import type { IndicatorRecord } from '#libs/indicators';
import { systemClock, type Engines } from './engines.js';
import type { Runtime } from './runtime.js';

const DEMO = 'pantau/demo';
/** A week in about half a minute. */
const SPEED = 20_000;
/** Sensors of sensor.community report about every two and a half minutes. */
const ARCHIVE_INTERVAL = 150_000;
const RECORDING_MAX_AGE = 30 * 366 * DAY;

/** Registers the devices of a plan and gives each a new password. @returns passwords by device */
export async function registerPlan(
  { registry, credentials }: Engines,
  planName: string,
): Promise<Record<string, string>> {
  const plan = readPlan(planName);
  await registry.putSite({ id: plan.site, name: 'Peragaan / Demonstration' });
  const passwords: Record<string, string> = {};
  const { air, cameras } = devicesOf(plan);
  const hourly = new Set(plan.stations.map(({ device }) => device));
  for (const id of [...air, ...cameras]) {
    const isCamera = cameras.includes(id);
    await registry.putDevice({
      id,
      site: plan.site,
      kind: isCamera ? 'camera' : 'air',
      name: isCamera ? `Kamera simulasi ${id}` : `Rekaman ${id}`,
      intervalMs: isCamera ? (plan.cameras?.interval ?? MINUTE) : hourly.has(id) ? HOUR : ARCHIVE_INTERVAL,
      // A recording is as old as it is.
      maxAgeMs: RECORDING_MAX_AGE,
    });
    passwords[id] = await credentials.issue(id);
  }
  return passwords;
}

/**
 * The main job on real recorded data: real MQTT clients publish a week of two stations and six cameras to the running
 * broker; alerts are shown as they come, then the first indicator with its provenance. Played once per data folder.
 */
export async function runDemo(
  runtime: Runtime,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { state } = runtime;
  const following = new AbortController();
  const alerts = followAlerts(runtime, print, AbortSignal.any([signal, following.signal]));
  if ((await state.get(DEMO, 'played')) === true) {
    print(
      'Peragaan sudah pernah diputar di folder data ini. / The demonstration was played in this data folder before.',
    );
  } else {
    const passwords = await registerPlan(runtime, 'demo');
    print(
      'Memutar ulang sepekan data nyata (2 stasiun udara, 6 kamera). / Replaying a week of real data (2 air stations, 6 cameras).',
    );
    const report = await play({
      plan: readPlan('demo'),
      url: `mqtt://127.0.0.1:${runtime.mqttPort}`,
      passwords,
      speed: SPEED,
      restamp: false,
      clock: systemClock,
      signal,
      onProgress: showProgress(print),
    });
    if (signal.aborted) return;
    await runtime.caughtUp(signal);
    const stored = await runtime.count('demo');
    print(
      `Pesan diakui / messages acknowledged: ${report.acknowledged} dari/of ${report.total}; pembacaan tersimpan / readings stored: ${stored}`,
    );
    await state.write([{ namespace: DEMO, key: 'played', value: true }]);
  }
  following.abort();
  await alerts;
  const {
    items: [record],
  } = await runtime.evidence.list({
    indicator: 'env.aq.pm25_daily_mean',
    device: 'udara-dongsi',
    to: '2015-12-09',
    limit: 1,
  });
  if (record !== undefined) print(describeIndicator(record));
}

/** An indicator in a few lines for people. */
export function describeIndicator(record: IndicatorRecord): string {
  const { indicator, version, subject, period, value, unit, dataCapture, provenance } = record;
  const number = (n: number): string => (Number.isInteger(n) ? String(n) : n.toFixed(2));
  const figures = Object.entries(dataCapture).map(([name, n]) => `${name} ${number(n)}`);
  const entries = provenance.entries.map(
    ({ shard, offsets }) =>
      `${shard}: ${offsets
        .slice(0, 3)
        .map(([a, b]) => `${a}–${b}`)
        .join(', ')}${offsets.length > 3 ? ', …' : ''}`,
  );
  return [
    `Indikator / indicator ${indicator} v${version}, ${Object.values(subject).at(-1) ?? ''}, ${period.date} (${period.timeZone})`,
    `  nilai / value: ${value === null ? 'data tidak cukup / not enough data' : `${value.toFixed(1)} ${unit}`}`,
    `  cakupan / data capture: ${figures.join(', ')}`,
    `  asal / provenance: ${provenance.inputs} masukan / inputs, jurnal / journal "${provenance.stream}" (${entries.join('; ')}), sha256 ${provenance.digest.slice(0, 16)}…`,
  ].join('\n');
}

/** Prints progress, seldom enough to stay readable in a log file. */
export function showProgress(print: (line: string) => void): (progress: Progress) => void {
  let shownShare = -1;
  return ({ acknowledged, total, waiting }) => {
    const share = Math.floor((10 * acknowledged) / Math.max(1, total));
    if (share === shownShare && waiting === 0) return;
    if (share !== shownShare)
      print(`  ${share * 10} % · ${acknowledged}/${total} pesan diakui / messages acknowledged`);
    shownShare = share;
  };
}

/** Prints the alerts that fire and resolve from now on. */
export async function followAlerts(
  { journal }: Engines,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const words = { firing: '▲ MENYALA / FIRING', resolved: '▼ SELESAI / RESOLVED' } as const;
  const follow = async (shard: number): Promise<void> => {
    for (let { next } = await journal.extent('alerts', shard); ;) {
      await journal.waitFor('alerts', shard, next, signal);
      const page = await readPage(journal, 'alerts', shard, next, 100);
      const isEnd = page.next === next;
      next = page.next;
      for (const { data } of page.entries) {
        const { phase, title, subject, value, at: ts } = alertEventOf(data);
        if (phase !== 'firing' && phase !== 'resolved') continue;
        const at = new Date(ts).toISOString();
        print(
          `  ${words[phase]} ${title.id} / ${title.en} · ${subject.device} · ${value ?? '-'} · ${at} (${localDateOf(ts)} WIB)`,
        );
      }
      if (signal.aborted && isEnd) return;
    }
  };
  await Promise.all(Array.from({ length: journal.shards }, (_, shard) => follow(shard)));
}
