import { REGENCY_TIME_ZONE, type UtcMillis } from '#libs/kernel';
import { PARAMETERS, WRITTEN_SYMBOLS, WRITTEN_UNITS, type Parameter } from '#libs/telemetry';

/** A text for people, in Indonesian and English. */
export interface Text {
  readonly id: string;
  readonly en: string;
}

/** A value that a sentence names, as data: how it is written is a matter of the reader's language. */
export type Told =
  | { readonly parameter: Parameter }
  /** A value of a parameter, in the unit of the parameter. */
  | { readonly number: number; readonly of: Parameter }
  | { readonly at: UtcMillis };

/** What a kind of rule says of a step: one of its messages, and the values for the places `{name}` in it. */
export interface Explanation {
  readonly message: string;
  readonly values: Readonly<Record<string, Told>>;
}

/** The messages of a kind by name. */
export type Messages = Readonly<Record<string, Text>>;

const LOCALES = { id: 'id-ID', en: 'en-GB' } as const;
type Language = keyof typeof LOCALES;

const PLACE = /\{(\w+)\}/g;
const MOST_DIGITS = 2;

const instants = formats(
  (locale) =>
    new Intl.DateTimeFormat(locale, {
      ...{ timeZone: REGENCY_TIME_ZONE, hourCycle: 'h23', hour: '2-digit', minute: '2-digit' },
      ...{ day: 'numeric', month: 'short', year: 'numeric' },
    }),
);
const numbers = formats((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: MOST_DIGITS }));

/** The sentence in both languages: numbers as the language writes them, units as people do, times of the regency with the zone said. */
export function sentenceOf({ message, values }: Explanation, messages: Messages): Text {
  const text = Object.hasOwn(messages, message) ? messages[message] : undefined;
  if (text === undefined) throw new Error(`no message "${message}"`);
  const filled = (language: Language): string =>
    text[language].replaceAll(PLACE, (_place, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`message "${message}" has no value "${name}"`);
      return written(value, language);
    });
  return { id: filled('id'), en: filled('en') };
}

function written(told: Told, language: Language): string {
  if ('at' in told) return `${instants[language].format(told.at).replaceAll(',', '')} WIB`;
  if ('parameter' in told) return WRITTEN_SYMBOLS[told.parameter];
  return `${numbers[language].format(told.number)} ${WRITTEN_UNITS[PARAMETERS[told.of].unit]}`;
}

function formats<F>(make: (locale: string) => F): Readonly<Record<Language, F>> {
  return { id: make(LOCALES.id), en: make(LOCALES.en) };
}
