import { formatAge, formatBytes, formatDuration, formatInstant, formatNumber } from './format';
import { language } from './language.svelte';

/** Figures and times in the reader's language, and again when that changes. */
export const show = {
  number: (value: number | null | undefined, digits?: number): string =>
    formatNumber(value, language.locale, digits),
  instant: (time: number | string, options?: { seconds?: boolean; day?: boolean }): string =>
    formatInstant(typeof time === 'string' ? Date.parse(time) : time, language.locale, options),
  age: (ms: number): string => formatAge(ms, language.locale),
  duration: (ms: number): string => formatDuration(ms, language.locale),
  bytes: (bytes: number): string => formatBytes(bytes, language.locale),
};
