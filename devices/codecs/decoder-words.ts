import type { Members } from './reading.js';

/** Members in which a decoder tells of its own work (LoRa Alliance TS013 and what payload formatters make of it). */
const NAMES = /^(?:decode[rd]?_?)?(?:err|errors?|error_?(?:message|msg|text)|warnings?)$/i;
/** Words for no fault. */
const NO_FAULT = /^(?:|0|ok|none|no[ _]?(?:error|warning)s?|false|null)$/i;

/**
 * What a decoder at a LoRaWAN server complains of, in its own words; empty where it does not.
 *
 * @param decoded - what it gave
 * @param beside - what the server states beside it
 */
export function wordsOf(decoded: Members, beside?: unknown): string {
  const own = Object.entries(decoded).filter(([name]) => NAMES.test(name));
  const words = [
    ...textsOf(beside),
    ...own.flatMap(([name, said]) =>
      typeof said === 'boolean' || typeof said === 'number'
        ? textsOf(said ? `${name} ${said}` : '')
        : textsOf(said),
    ),
  ];
  return words.join('; ').slice(0, 150);
}

function textsOf(said: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(said) ? said : [said];
  return list.filter((word): word is string => typeof word === 'string' && !NO_FAULT.test(word.trim()));
}
