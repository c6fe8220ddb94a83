import type { Explanation, Messages } from '../../explanation.js';
import type { AlertStep } from '../../rule-kind.js';
import type { ThresholdDetail } from './reducer.js';

export const thresholdMessages = {
  pending: {
    id: '{parameter} melewati batas {limit} (sejak {since}); nilainya {value}.',
    en: '{parameter} has crossed the limit of {limit} (since {since}); the value is {value}.',
  },
  firing: {
    id: '{parameter} bertahan melewati batas {limit} (sejak {since}); nilainya {value}.',
    en: '{parameter} has stayed beyond the limit of {limit} (since {since}); the value is {value}.',
  },
  resolved: {
    id: '{parameter} kembali dari batas {limit} (dilewati sejak {since}); nilainya {value}.',
    en: '{parameter} is back from the limit of {limit} (crossed at {since}); the value is {value}.',
  },
  cancelled: {
    id: '{parameter} tidak bertahan melewati batas {limit} (sejak {since}); nilainya {value}.',
    en: '{parameter} did not stay beyond the limit of {limit} (since {since}); the value is {value}.',
  },
  outOfService: {
    id: '{parameter} tidak diukur lagi: perangkat dinonaktifkan (melewati batas {limit} sejak {since}).',
    en: '{parameter} is no longer measured: the device was taken out of service (beyond the limit of {limit} since {since}).',
  },
} as const satisfies Messages;

export function explainThreshold({ phase, since, value, detail }: AlertStep<ThresholdDetail>): Explanation {
  const { parameter, raise } = detail;
  const values = { parameter: { parameter }, limit: { number: raise, of: parameter }, since: { at: since } };
  if (value === undefined)
    return { message: 'outOfService' satisfies keyof typeof thresholdMessages, values };
  return { message: phase, values: { ...values, value: { number: value, of: parameter } } };
}
