import {
  HOUR,
  parseDuration,
  parseYaml,
  PantauError,
  type Millis,
  type TimeSpan,
  type UtcMillis,
} from '#libs/kernel';
import { Air, CLIMATES, type AirSite } from '#simulators/air';
import {
  cameraMessages,
  cameraTruth,
  SENSOR_MODELS,
  stationMessages,
  type CameraFault,
  type CameraSpan,
  type Fault,
  type SensorFault,
  type SensorModelName,
  type SimulatedMessage,
  type SupplyFault,
} from '#simulators/devices';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { scenarioSchema, type FaultEntry, type ScenarioFile } from './schema.js';

/** The regency's zone, WIB. */
const UTC_OFFSET = 7 * HOUR;
const CAMERA_FAULTS = new Set<FaultEntry['kind']>(['recorder', 'black', 'frozen', 'flapping']);
const SUPPLY_FAULTS = new Set<FaultEntry['kind']>(['power', 'link']);

/** A fault of one device, with its span in true time. */
export type DeviceFault = Fault;

export interface SimulatedDevice {
  readonly id: string;
  readonly site: string;
  readonly name: string;
  readonly kind: 'air' | 'camera';
  readonly intervalMs: Millis;
  /** Of a station. */
  readonly model?: SensorModelName;
  readonly faults: readonly DeviceFault[];
  /** What it sends, in the order in which it is delivered. The same bytes each time. */
  messages(): Iterable<SimulatedMessage>;
  /** Of a camera: when it truly gave pictures. */
  states(): CameraSpan[];
}

/** A scenario that is ready to run: its devices with what happens to each. */
export interface Scenario extends TimeSpan {
  readonly name: string;
  readonly file: ScenarioFile;
  readonly sites: readonly AirSite[];
  readonly devices: readonly SimulatedDevice[];
  readonly air: Air;
}

/** Shipped scenarios; found from the sources and from the build alike. */
const SCENARIO_FOLDER = join(
  packageRoot(dirname(fileURLToPath(import.meta.url))),
  'simulators',
  'scenario',
  'scenarios',
);

function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}

/** Name, title and purpose of every scenario that comes with Pantau. */
export function listScenarios(): { readonly name: string; readonly file: ScenarioFile }[] {
  return readdirSync(SCENARIO_FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ name: name.slice(0, -5), file: readScenarioFile(name.slice(0, -5)).file }));
}

/**
 * Reads a scenario.
 *
 * @param name - of a scenario that comes with Pantau, or the path of a YAML file
 * @throws PantauError `CONFIG_UNREADABLE`, or `CONFIG_INVALID` with file, line and what was expected
 */
export function readScenarioFile(name: string): { readonly file: ScenarioFile; readonly path: string } {
  const shipped = join(SCENARIO_FOLDER, `${name}.yaml`);
  const path = existsSync(shipped) ? shipped : name;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PantauError('CONFIG_UNREADABLE', `cannot read the scenario ${path}.`, {
      remedy: 'See pantau simulate --list, or give the path of a YAML file.',
      cause,
    });
  }
  return { file: parseScenario(path, text), path };
}

/** {@link readScenarioFile} on a text; `path` names it in errors. */
export function parseScenario(path: string, text: string): ScenarioFile {
  return parseYaml(path, text, checkedSchema);
}

/** What the parts of a scenario say of each other. */
const checkedSchema = scenarioSchema.check((context) => {
  const { fleet, faults, links, episodes, sources, span, expect } = context.value;
  const problem = (path: readonly (string | number)[], message: string): void =>
    void context.issues.push({ code: 'custom', path: [...path], message, input: context.value });
  const sites = new Set(fleet.sites.map(({ id }) => id));
  // A group of several is known by its own name too.
  const devices = new Map<string, 'stations' | 'cameras'>();
  for (const list of ['stations', 'cameras'] as const)
    for (const [i, entry] of fleet[list].entries()) {
      if (!sites.has(entry.site))
        problem(
          ['fleet', list, i, 'site'],
          `there is no site "${entry.site}"; sites: ${[...sites].join(', ')}`,
        );
      for (const id of idsOf(entry)) {
        if (devices.has(id)) problem(['fleet', list, i, 'id'], `there are two devices "${id}"`);
        devices.set(id, list);
      }
      devices.set(entry.id, list);
    }
  for (const [list, entries] of Object.entries({ faults, links, episodes, sources }))
    for (const [i, entry] of entries.entries())
      if (entry.from + (entry.for ?? 0) > span || entry.from >= span)
        problem(
          [list, i, 'from'],
          'it goes beyond the span of the scenario; shorten it or make the span longer',
        );
  for (const [i, entry] of faults.entries()) {
    const path = ['faults', i];
    for (const id of listOf(entry.device))
      if (!devices.has(id))
        problem([...path, 'device'], `there is no device "${id}" in the fleet; name one that is, or add it`);
      else if (CAMERA_FAULTS.has(entry.kind) && devices.get(id) === 'stations')
        problem([...path, 'kind'], `${entry.kind} is a fault of cameras, and "${id}" is a station`);
      else if (
        !CAMERA_FAULTS.has(entry.kind) &&
        !SUPPLY_FAULTS.has(entry.kind) &&
        devices.get(id) === 'cameras'
      )
        problem([...path, 'kind'], `${entry.kind} is a fault of stations, and "${id}" is a camera`);
    for (const site of listOf(entry.site))
      if (!sites.has(site)) problem([...path, 'site'], `there is no site "${site}"`);
    if (entry.device === undefined && entry.site === undefined && entry.model === undefined)
      problem(path, 'name the device, the site or the model that it befalls');
  }
  for (const [i, { site }] of links.entries())
    if (!sites.has(site)) problem(['links', i, 'site'], `there is no site "${site}"`);
  const kinds = new Set<string>(faults.map(({ kind }) => kind));
  for (const [i, { fault }] of expect.flags.entries())
    if (!kinds.has(fault))
      problem(['expect', 'flags', i, 'fault'], `the scenario has no fault of the kind "${fault}"`);
});

export interface ScenarioOptions {
  readonly name: string;
  readonly file: ScenarioFile;
  /** The scenario ends now when its file names no start. */
  readonly now: UtcMillis;
  /** In place of the file's. */
  readonly seed?: number | undefined;
  readonly start?: UtcMillis | undefined;
  /** The scenario ends now, whatever its file says, and its devices go on for so long. */
  readonly goOn?: Millis | undefined;
  /** Groups of the fleet are made so much smaller, to two devices at least. */
  readonly scale?: number | undefined;
}

/** Lays a scenario out: every device with its faults in true time. */
export function scenarioOf({ name, file, now, ...options }: ScenarioOptions): Scenario {
  const seed = options.seed ?? file.seed;
  const { scale = 1 } = options;
  const scaled = ({ id, count }: { readonly id: string; readonly count: number }): string[] =>
    idsOf({ id, count: count === 1 ? 1 : Math.max(2, Math.round(count * scale)) });
  const { goOn = 0 } = options;
  const endsNow = goOn > 0 || file.start === undefined;
  const from = options.start ?? (endsNow ? now - file.span : Date.parse(file.start ?? ''));
  const to = from + file.span + goOn;
  const inTime = <T extends { from: Millis; for?: Millis | undefined }>({
    from: begin,
    for: lasts,
    ...rest
  }: T) => ({
    ...rest,
    from: from + begin,
    to: lasts === undefined ? to : from + begin + lasts,
  });
  const air = new Air({
    seed,
    from,
    to,
    climate: CLIMATES[file.climate],
    utcOffset: UTC_OFFSET,
    episodes: file.episodes.map(inTime),
    sources: file.sources.map(inTime),
  });
  const faultsOf = (device: Befallen, kind: 'air' | 'camera'): DeviceFault[] =>
    file.faults.filter((entry) => befalls(entry, device, kind)).map((entry) => faultOf(inTime(entry)));
  const devices: SimulatedDevice[] = [];
  for (const entry of file.fleet.stations) {
    const site = file.fleet.sites.find(({ id }) => id === entry.site);
    if (site === undefined) continue;
    for (const id of scaled(entry)) {
      const faults = faultsOf({ ...entry, id, group: entry.id }, 'air') as (SensorFault | SupplyFault)[];
      const options = {
        id,
        seed,
        model: SENSOR_MODELS[entry.model],
        intervalMs: entry.interval,
        from,
        to,
        faults,
      };
      devices.push({
        id,
        site: entry.site,
        name: entry.name ?? `Stasiun simulasi ${id}`,
        kind: 'air',
        model: entry.model,
        intervalMs: entry.interval,
        faults,
        messages: () => stationMessages({ ...options, airAt: (at) => air.at(site, at) }),
        states: () => [],
      });
    }
  }
  for (const entry of file.fleet.cameras)
    for (const id of scaled(entry)) {
      const faults = faultsOf({ ...entry, id, group: entry.id }, 'camera') as (CameraFault | SupplyFault)[];
      const options = { id, seed, intervalMs: entry.interval, from, to, faults };
      devices.push({
        id,
        site: entry.site,
        name: entry.name ?? `Kamera simulasi ${id}`,
        kind: 'camera',
        intervalMs: entry.interval,
        faults,
        messages: () => cameraMessages(options),
        states: () => cameraTruth(options),
      });
    }
  return { name, file, from, to, sites: file.fleet.sites, devices, air };
}

function idsOf({ id, count }: { readonly id: string; readonly count: number }): string[] {
  return count === 1 ? [id] : Array.from({ length: count }, (_, i) => `${id}-${i + 1}`);
}

function listOf(value: string | string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** A device, and the group of the fleet that it is one of. */
interface Befallen {
  readonly id: string;
  readonly group: string;
  readonly site: string;
  readonly model?: string;
}

function befalls(entry: FaultEntry, { id, group, site, model }: Befallen, kind: 'air' | 'camera'): boolean {
  if (
    kind === 'air'
      ? CAMERA_FAULTS.has(entry.kind)
      : !CAMERA_FAULTS.has(entry.kind) && !SUPPLY_FAULTS.has(entry.kind)
  )
    return false;
  return (
    (entry.device === undefined || listOf(entry.device).some((name) => name === id || name === group)) &&
    (entry.site === undefined || listOf(entry.site).includes(site)) &&
    (entry.model === undefined || entry.model === model)
  );
}

/** Whom a fault befalls is settled by then. */
const TARGET = new Set(['device', 'site', 'model']);

function faultOf(entry: Omit<FaultEntry, 'for' | 'from'> & TimeSpan): DeviceFault {
  const fault = Object.fromEntries(Object.entries(entry).filter(([key]) => !TARGET.has(key)));
  if (entry.kind !== 'clock-jump') return fault as unknown as DeviceFault;
  const text = String(fault['by']);
  const by = parseDuration(text.replace(/^-/, '')) ?? 0;
  return { kind: 'clock-jump', from: entry.from, to: entry.to, by: text.startsWith('-') ? -by : by };
}

/** JSON Schema of scenario files, for editors. */
export function scenarioJsonSchema(): object {
  return {
    title: 'Scenario of pantau simulate',
    ...z.toJSONSchema(scenarioSchema, { io: 'input', unrepresentable: 'any' }),
  };
}
