import { lettersOf } from './order.js';
import type { MeasuredParameter, Unit } from '#libs/telemetry';
import { shown, type Members } from './reading.js';

/** Spellings of units, lower-cased, without blanks, with plain letters for µ, ³ and °. */
const WORDS: ReadonlyMap<string, Unit> = new Map([
  ...(['ug/m3', 'ug/m^3', 'ug_m3', 'ugm3'] as const).map((word) => [word, 'ug/m3'] as const),
  ...(['mg/m3', 'mg/m^3', 'mg_m3', 'mgm3'] as const).map((word) => [word, 'mg/m3'] as const),
  ...(['c', 'degc', 'cel', 'celsius'] as const).map((word) => [word, 'degC'] as const),
  ...(['f', 'degf', 'fahrenheit'] as const).map((word) => [word, 'degF'] as const),
  ...(['k', 'kelvin'] as const).map((word) => [word, 'K'] as const),
  ...(['%', '%rh', 'percent', 'pct'] as const).map((word) => [word, '%'] as const),
  ['ppb', 'ppb'],
  ['ppm', 'ppm'],
]);

/** The unit that a word stands for; undefined for one that Pantau does not know. */
export function unitOfWord(word: unknown): Unit | undefined {
  if (typeof word !== 'string') return undefined;
  const plain = word.replace(/\s/g, '').replace(/[µμ]/g, 'u').replace('³', '3').replace(/[°º]/g, 'deg');
  return WORDS.get(plain.toLowerCase());
}

/** A name that says that it holds a unit, such as `unit`, `temperature_unit`, `tempUnit`, `unit_of_measurement`. */
const UNIT_NAME = /^(.*?)[_ .-]?(?:units?)(?:[_ .-]?(?:code|text|of[_ ]?measure(?:ment)?))?$/i;
/** Whether a name is that of a unit. */
export function saysUnit(name: string): boolean {
  return UNIT_NAME.test(name);
}

/** What such a name says beside it when it speaks of every value of its object. */
const OF_EVERY_VALUE: ReadonlySet<string> = new Set(['', 'eng', 'engineering', 'measurement', 'value']);

interface Statement {
  readonly name: string;
  readonly word: unknown;
  /** What it speaks of, in plain letters. */
  readonly of: string;
}

/**
 * What the members of an object say of the units of the values beside them. A default stands in only where nothing is
 * said; what is said and not understood leaves the value without a unit, and so refused.
 */
export class StatedUnits {
  readonly #statements: readonly Statement[];

  constructor(members: Members) {
    this.#statements = Object.entries(members).flatMap(([name, word]): Statement[] => {
      const match = (word ?? undefined) === undefined ? null : UNIT_NAME.exec(name);
      return match === null ? [] : [{ name, word, of: lettersOf(match[1] ?? '') }];
    });
  }

  /**
   * @param documented - the unit that the maker documents; undefined where it documents none
   * @param meaning - `follows`: a value may be in any unit that is stated; `fixed`: one that differs contradicts the maker
   * @returns the unit to read the value in, and what to do where there is none
   */
  of(
    name: string,
    parameter: MeasuredParameter,
    documented: Unit | undefined,
    meaning: 'fixed' | 'follows' = 'fixed',
  ): { readonly unit: Unit | undefined; readonly remedy?: string } {
    const statements = this.#statements.filter(({ of }) => speaksOf(of, lettersOf(name), parameter));
    const [first] = statements;
    if (first === undefined) return { unit: documented };
    const unit = unitOfWord(first.word);
    const isOne = statements.every(({ word }) => unitOfWord(word) === unit);
    if (unit !== undefined && isOne && (meaning === 'follows' || unit === documented)) return { unit };
    const found = statements.map(({ name: said, word }) => `${said.slice(0, 40)} ${shown(word)}`).join(', ');
    const expected = documented === undefined ? 'state a known unit' : `set it to ${documented}`;
    return { unit: undefined, remedy: `found ${found}; ${expected}` };
  }
}

function speaksOf(of: string, name: string, parameter: MeasuredParameter): boolean {
  return OF_EVERY_VALUE.has(of) || name.startsWith(of) || parameter.startsWith(of);
}
