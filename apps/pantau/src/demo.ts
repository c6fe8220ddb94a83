import {
  devicesOf,
  onAndOn,
  play,
  prefixed,
  readPlan,
  splitAt,
  type Progress,
  type ReplayPlan,
  type Segment,
} from '#simulators/replay';
import { readPage } from '#libs/journal';
import { DAY, HOUR, localDateOf, MINUTE, messageOf, PantauError, type UtcMillis } from '#libs/kernel';
import { alertEventOf } from '#libs/alerting';
import type { IndicatorDefinition, IndicatorRecord } from '#libs/indicators';
import { systemClock, type Engines } from './storage/engines.js';
import { DEMO } from './namespaces.js';
import type { Runtime } from './processes/runtime.js';

/** In the id of every device of the demonstration, so that it says what it is wherever it shows. */
const PREFIX = 'demo';
/** The worst day of the recorded week, and the station that is shown. */
const SHOWN = { device: 'udara-dongsi', day: Date.parse('2015-12-09T00:00:00+07:00') };
/** A place on the map, near the seat of the regency. The recordings are from elsewhere. */
const SHOWN_AT = { latitude: -2.88, longitude: 104.39 };
/** Of a demonstration that was stopped, what was missed for so long is made up for. */
const LONGEST_GAP = 7 * DAY;
/** How exactly it is noted how far the demonstration has come. */
const NOTE_EVERY = MINUTE;
/** Sensors of sensor.community report about every two and a half minutes. */
const ARCHIVE_INTERVAL = 150_000;
const RECORDING_MAX_AGE = 30 * 366 * DAY;

/** Registers the devices of a plan and gives each a new password. @returns passwords by device */
export async function registerPlan(
  { registry, credentials }: Engines,
  plan: ReplayPlan,
): Promise<Record<string, string>> {
  await registry.putSite({ id: plan.site, name: 'Peragaan / Demo', ...SHOWN_AT });
  const passwords: Record<string, string> = {};
  const { air, cameras } = devicesOf(plan);
  const hourly = new Set(plan.stations.map(({ device }) => device));
  for (const id of [...air, ...cameras]) {
    const isCamera = cameras.includes(id);
    await registry.putDevice({
      id,
      site: plan.site,
      kind: isCamera ? 'camera' : 'air',
      name: isCamera ? `Kamera simulasi / simulated camera ${id}` : `Rekaman / recording ${id}`,
      intervalMs: isCamera ? (plan.cameras?.interval ?? MINUTE) : hourly.has(id) ? HOUR : ARCHIVE_INTERVAL,
      // A recording is as old as it is.
      maxAgeMs: RECORDING_MAX_AGE,
    });
    passwords[id] = await credentials.issue(id);
  }
  return passwords;
}

/**
 * Registers the devices of a segment of another Pantau's journal.
 *
 * @throws PantauError `USAGE` when one of them is a device of this installation already: its password must not change
 */
export async function registerSegment(
  { registry, credentials }: Engines,
  { devices }: Segment,
): Promise<Record<string, string>> {
  const known = new Map((await registry.devices()).map(({ id, name }) => [id, name]));
  const own = devices.filter(({ device }) => known.has(device) && known.get(device) !== replayName(device));
  if (own.length > 0)
    throw new PantauError(
      'USAGE',
      `registered here already: ${own.map(({ device }) => device).join(', ')}.`,
      {
        remedy: 'Replay into a data folder of its own, or export with --anonymise.',
      },
    );
  const passwords: Record<string, string> = {};
  for (const { device: id, site, kind, intervalMs } of devices) {
    if ((await registry.site(site)) === undefined)
      await registry.putSite({ id: site, name: `Putar ulang / replay: ${site}` });
    await registry.putDevice({
      id,
      site,
      kind,
      name: replayName(id),
      intervalMs,
      maxAgeMs: RECORDING_MAX_AGE,
    });
    passwords[id] = await credentials.issue(id);
  }
  return passwords;
}

const replayName = (id: string): string => `Putar ulang / replay: ${id}`;

/**
 * The demonstration: real MQTT clients publish a recorded week of two stations and six cameras, moved in time by whole days so that
 * it ends now, to the running broker, and go on at the pace of the clock until the signal aborts. Alerts are shown as they come,
 * and the indicator of the worst day with its provenance. Started again over the same data folder it goes on where it was.
 *
 * @param address - of the API, for people
 */
export async function runDemo(
  runtime: Runtime,
  address: string,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const alerts = followAlerts(runtime, print, ended.signal);
  try {
    await demonstrate(runtime, address, print, signal);
  } catch (error) {
    // Somebody took the access of a device away, say: Pantau goes on without the demonstration.
    if (!signal.aborted) print(`Peragaan berhenti / the demonstration ended: ${messageOf(error)}`);
  } finally {
    ended.abort();
    await alerts;
  }
}

async function demonstrate(
  runtime: Runtime,
  address: string,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { state } = runtime;
  const plan = prefixed(readPlan('demo'), PREFIX);
  const passwords = await registerPlan(runtime, plan);
  const now = systemClock.now();
  const before = await state.get(DEMO, 'standing');
  // The week of the plan is over at the last midnight; what was recorded after it fills today.
  const shiftMs = before?.shiftMs ?? Math.floor((now - plan.to) / DAY) * DAY;
  const since = before === undefined ? -Infinity : Math.max(before.until, now - LONGEST_GAP);
  const note = (until: UtcMillis): Promise<void> => state.write([DEMO.put('standing', { shiftMs, until })]);
  const whole = splitAt(onAndOn(plan, shiftMs), now);
  const history = splitAt(whole.before, since).after;
  const common = {
    url: `mqtt://127.0.0.1:${runtime.mqttPort}`,
    passwords,
    speed: 'max' as const,
    clock: systemClock,
    signal,
  };
  print(
    before === undefined
      ? 'PERAGAAN / DEMONSTRATION: sepekan data nyata yang digeser sehingga berakhir sekarang (2 stasiun udara rekaman, 6 kamera simulasi). / a week of real data, moved in time so that it ends now (2 recorded air stations, 6 simulated cameras).'
      : 'PERAGAAN / DEMONSTRATION: dilanjutkan dari terakhir kali. / goes on from where it was.',
  );
  const report = await play({
    ...common,
    replay: new Map(
      Array.from(history, ([id, { site, messages }]) => [id, { site, messages: [...messages] }]),
    ),
    onProgress: showProgress(print),
  });
  signal.throwIfAborted();
  await note(now);
  // Without it the next start begins the demonstration further back: no reason to end Pantau.
  const notes = setInterval(
    () => void note(systemClock.now() - NOTE_EVERY).catch((error: unknown) => print(messageOf(error))),
    NOTE_EVERY,
  );
  const goesOn = play({ ...common, replay: whole.after });
  // Looked at below, after the figures.
  goesOn.catch(() => undefined);
  try {
    await Promise.race([goesOn, runtime.caughtUp(signal)]);
    signal.throwIfAborted();
    print(
      `Pesan diakui / messages acknowledged: ${report.acknowledged} dari/of ${report.total}; pembacaan tersimpan / readings stored: ${await runtime.count(plan.site)}`,
    );
    const date = localDateOf(SHOWN.day + shiftMs);
    const {
      items: [record],
    } = await runtime.evidence.list({
      indicator: 'env.aq.pm25_daily_mean',
      device: `${PREFIX}-${SHOWN.device}`,
      to: date,
      limit: 1,
    });
    if (record !== undefined) print(describeIndicator(record, runtime.evidence.definition(record.indicator)));
    print(
      `Peragaan berlanjut langsung: kamera tiap menit, stasiun tiap jam. / The demonstration goes on live: cameras every minute, stations every hour.\n  ${address}/ · ${address}/api/docs\nPantau tetap berjalan; hentikan dengan Ctrl-C. / Pantau keeps running; stop it with Ctrl-C.`,
    );
    await goesOn;
  } finally {
    clearInterval(notes);
  }
}

/** An indicator in a few lines for people. @param definition - as it is today; the figure may follow from an earlier one */
export function describeIndicator(record: IndicatorRecord, definition: IndicatorDefinition): string {
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
  const { name, formula } = definition;
  return [
    `${name.id} / ${name.en}`,
    `Indikator / indicator ${indicator} v${version}, ${Object.values(subject).at(-1) ?? ''}, ${period.date} (${period.timeZone})`,
    `  nilai / value: ${value === null ? 'data tidak cukup / not enough data' : `${value.toFixed(1)} ${unit}`}`,
    ...(version === definition.version ? [`  rumus / formula: ${formula.id} / ${formula.en}`] : []),
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
