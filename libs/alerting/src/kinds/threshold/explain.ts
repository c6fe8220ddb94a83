import { PARAMETERS } from '#libs/telemetry';
import type { AlertStep, Text } from '../../rule-kind.js';
import type { ThresholdDetail } from './reducer.js';

const PHASES = {
  pending: { id: 'melewati batas', en: 'has crossed the limit of' },
  firing: { id: 'bertahan melewati batas', en: 'has stayed beyond the limit of' },
  resolved: { id: 'kembali dari batas', en: 'is back from the limit of' },
  cancelled: { id: 'tidak bertahan melewati batas', en: 'did not stay beyond the limit of' },
} as const;

export function explainThreshold({ phase, since, value, detail }: AlertStep<ThresholdDetail>): Text {
  const { parameter, raise } = detail;
  const { unit } = PARAMETERS[parameter];
  const from = new Date(since).toISOString();
  const words = PHASES[phase];
  if (value === undefined)
    return {
      id: `${parameter} tidak diukur lagi: perangkat dinonaktifkan (melewati batas ${raise} ${unit} sejak ${from}).`,
      en: `${parameter} is no longer measured: the device was taken out of service (beyond the limit of ${raise} ${unit} since ${from}).`,
    };
  return {
    id: `${parameter} ${words.id} ${raise} ${unit} (sejak ${from}); sekarang ${value} ${unit}.`,
    en: `${parameter} ${words.en} ${raise} ${unit} (since ${from}); now ${value} ${unit}.`,
  };
}
