import type { Measured, MeasuredParameter, OtherSensor } from '#libs/telemetry';
import { refusal } from './refusal.js';

/** Which sensor of its housing a value is of. */
export interface Of {
  /** Undefined where the format has one sensor for the parameter. */
  readonly sensor?: string | undefined;
  /** It may be anywhere, so that it never counts by itself. */
  readonly isSpare?: boolean;
}

/** What a sensor says of a parameter: without `measured` nothing that holds. */
export interface Candidate extends Of {
  readonly path: string;
  readonly measured?: Measured;
}

/**
 * In which order sensors of one quantity in one housing count, by the beginning of the name that makers and firmwares give them:
 * those built for the air, those whose name does not tell, probes on a cable, and those of the board itself.
 */
const AIR =
  /^(?:SHTC?\d|TEMPC_SHT|HUM_SHT|AIR_|BM[EP]\d|DHT|AM\d|AHT|HTU|HDC|SI70|HIH|HYT|SCD|SEN5|SEN6|SPS30|SDS|PMS|ENS2|MS8607|CHT8)/i;
const PROBE = /^(?:DS18|DS\d|TEMPC?_DS|TEMPC?\d|MAX\d|MLX|LMT|TMP\d|.*(?:probe|external|soil|water))/i;
const BOARD =
  /^(?:ANALOG|NTC|ADC|ESP|CPU|MCU|CHIP|BOARD|INTERNAL|DEVICE_|.*(?:_board|_internal|_chip|_cpu)$)/i;

/** The smaller one counts; a sensor without a name of its own is one whose name does not tell. */
function rankOf(sensor: string | undefined): number {
  if (sensor === undefined) return 1;
  if (BOARD.test(sensor)) return 3;
  if (PROBE.test(sensor)) return 2;
  return AIR.test(sensor) ? 0 : 1;
}

/** The one that counts first; of one rank the first in the message. */
export function inOrder(candidates: readonly Candidate[]): readonly Candidate[] {
  if (candidates.length === 1) return candidates;
  const rank = ({ sensor, isSpare }: Candidate): number => (isSpare === true ? 4 : rankOf(sensor));
  return candidates.toSorted((a, b) => rank(a) - rank(b));
}

/** @param housing - stands before the name of the sensor, where there is one */
export function inHousing(candidate: Candidate, housing: string | undefined): Candidate {
  const { measured } = candidate;
  if (housing === undefined || measured === undefined) return candidate;
  const sensor = measured.sensor === undefined ? housing : `${housing}/${measured.sensor}`;
  return { ...candidate, measured: { ...measured, sensor } };
}

/**
 * A candidate as one that does not count; nothing for one that measured nothing.
 *
 * @param counted - what counts in its place
 */
export function otherOf(
  { path, measured }: Candidate,
  parameter: MeasuredParameter,
  counted: string,
): readonly OtherSensor[] {
  if (measured === undefined) return [];
  const expectation = `expected one ${parameter}, that of ${counted.slice(0, 60)}; map this sensor to a device of its own (aliases), or let it count: pantau device sensors`;
  return [{ measured, refusal: refusal('other_sensor', path, expectation) }];
}

/**
 * Name of the device in a message from a server, where the topic names another one: then the pattern may have taken a gateway for
 * the device, and what it passes on is told apart by this name.
 */
export function housingUnless(
  parts: Readonly<Record<string, string>>,
  name: unknown,
): { readonly housing?: string } {
  const { device } = parts;
  if (device === undefined || typeof name !== 'string' || lettersOf(device) === lettersOf(name)) return {};
  return { housing: name.slice(0, 60) };
}

/** What is left of a name for comparison: letters in lower case, and digits. */
export function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
