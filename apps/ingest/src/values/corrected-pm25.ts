import { correctPm25 } from '#libs/air-quality';
import type { UtcMillis } from '#libs/kernel';
import { combineFlags, sampleAt } from '#libs/quality-control';
import type { Reading } from '#libs/telemetry';
import type { BatchDevice } from '../devices/batch-devices.js';

/**
 * PM2.5 corrected for humidity: a series of its own beside the raw one, for devices that ask for it; as doubtful as what it
 * is computed from. It follows either of them: one that is said or amended alone is joined by what is remembered of the other.
 *
 * @param readings - what is new at this instant
 * @returns undefined when the device asks for none, when nothing that it is computed from is new, or when one of both is missing
 */
export function correctedPm25(
  ts: UtcMillis,
  readings: readonly Reading[],
  { held: { registered }, memory }: Pick<BatchDevice, 'held' | 'memory'>,
): Reading | undefined {
  const name = registered?.humidityCorrection;
  if (name === undefined) return undefined;
  const ownPm25 = readings.find(({ parameter }) => parameter === 'pm25');
  const ownHumidity = readings.find(({ parameter }) => parameter === 'humidity');
  if (ownPm25 === undefined && ownHumidity === undefined) return undefined;
  const pm25 = ownPm25 ?? remembered('pm25', ts, memory);
  const humidity = ownHumidity ?? remembered('humidity', ts, memory);
  const corrected = correctPm25(pm25?.value, humidity?.value, name);
  if (pm25 === undefined || humidity === undefined || corrected === undefined) return undefined;
  const failed = [...new Set([...(pm25.failed ?? []), ...(humidity.failed ?? [])])];
  return {
    parameter: 'pm25_corrected',
    value: corrected.value,
    flag: combineFlags([pm25.flag, humidity.flag]),
    ...(failed.length === 0 ? {} : { failed }),
  };
}

function remembered(
  parameter: 'pm25' | 'humidity',
  ts: UtcMillis,
  memory: BatchDevice['memory'],
): Reading | undefined {
  const state = memory.get(parameter);
  const sample = state && sampleAt(state, ts);
  return sample && { parameter, value: sample.value, ...sample.result };
}
