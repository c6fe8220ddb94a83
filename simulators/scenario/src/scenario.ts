import { DAY, HOUR, parseYaml, PantauError, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { Air, CLIMATES, type AirSite } from '#simulators/air';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { checkedSchema } from './checked-schema.js';
import { fleetOf, type SimulatedDevice } from './fleet.js';
import { scenarioSchema, type ScenarioFile } from './schema.js';

/** The regency's zone, WIB. */
const UTC_OFFSET = 7 * HOUR;

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

export interface ScenarioOptions {
  readonly name: string;
  readonly file: ScenarioFile;
  /** The scenario ends now when its file names no start. */
  readonly now: UtcMillis;
  /** In place of the file's. */
  readonly seed?: number | undefined;
  readonly start?: UtcMillis | undefined;
  /**
   * The scenario is moved to now, by whole days, so that its hours of the day and its air stay what they are; its devices go on until now and
   * for so long.
   */
  readonly goOn?: Millis | undefined;
  /** Groups of the fleet are made so much smaller, to two devices at least. */
  readonly scale?: number | undefined;
}

/** Lays a scenario out: every device with its faults in true time. */
export function scenarioOf({ name, file, now, ...options }: ScenarioOptions): Scenario {
  const seed = options.seed ?? file.seed;
  const { scale = 1, goOn = 0 } = options;
  const from = options.start ?? beginOf(file, now, goOn > 0);
  const to = goOn > 0 ? now + goOn : from + file.span;
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
  const devices = fleetOf({ file, air, seed, utcOffset: UTC_OFFSET, from, to, scale, inTime });
  return { name, file, from, to, sites: file.fleet.sites, devices, air };
}

function beginOf({ start, span }: ScenarioFile, now: UtcMillis, isMoved: boolean): UtcMillis {
  if (start === undefined) return now - span;
  const begin = Date.parse(start);
  return isMoved ? begin + Math.floor((now - span - begin) / DAY) * DAY : begin;
}

/** JSON Schema of scenario files, for editors. */
export function scenarioJsonSchema(): object {
  return {
    title: 'Scenario of pantau simulate',
    ...z.toJSONSchema(scenarioSchema, { io: 'input', unrepresentable: 'any' }),
  };
}
