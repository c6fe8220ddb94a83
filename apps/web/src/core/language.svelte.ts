import { remember, remembered } from './remembered';

export type LanguageCode = 'id' | 'en';

class Language {
  #code = $state<LanguageCode>(remembered('language') === 'en' ? 'en' : 'id');

  get code(): LanguageCode {
    return this.#code;
  }

  set code(code: LanguageCode) {
    this.#code = code;
    remember('language', code);
    document.documentElement.lang = code;
  }

  /** For what is shown to nobody who chose: it is not remembered. */
  show(code: LanguageCode): void {
    this.#code = code;
    document.documentElement.lang = code;
  }

  /** For `Intl`. */
  get locale(): string {
    return this.#code === 'id' ? 'id-ID' : 'en-GB';
  }

  /** Of two texts that the API gave, the reader's. */
  of({ id, en }: { readonly id: string; readonly en: string }): string {
    return this.#code === 'id' ? id : en;
  }
}

/** The reader's language. Indonesian until the reader chooses. */
export const language = new Language();
document.documentElement.lang = language.code;

/** The same words in the other language: the same members, and functions of the same arguments. */
type Same<W> = {
  readonly [K in keyof W]: W[K] extends string
    ? string
    : W[K] extends (...values: infer A) => string
      ? (...values: A) => string
      : Same<W[K]>;
};

/**
 * Words of a part of the page in both languages. Whoever reads a member gets it in the reader's language, and reads again when that changes.
 * `en` cannot lack what `id` has: that is an error of types.
 */
export function dictionary<const W extends object>(id: W, en: Same<W>): Same<W> {
  const words = {};
  for (const name of Object.keys(id))
    Object.defineProperty(words, name, {
      enumerable: true,
      get: (): unknown => (language.code === 'id' ? id : en)[name as keyof W],
    });
  return words as Same<W>;
}
