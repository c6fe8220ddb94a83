import { sortable, type Row, type UtcMillis } from '#libs/kernel';
import type { Parameter, QualityFlag } from '#libs/telemetry';

/** The mean of a device's hour, and what its neighbours say of it. */
export interface JudgedMean {
  readonly mean: number;
  /** 1 they agree, 3 they disagree, 2 there are too few. */
  readonly flag: QualityFlag;
  /** How many were asked: those within the radius that have a mean of this hour. */
  readonly neighbours: number;
  /** Of their means; null without any. */
  readonly median: number | null;
}

/** A {@link JudgedMean} as a list: there is one for every hour of every series. */
export type StoredMean = Row<'judged mean'>;

type Places = readonly [mean: number, flag: QualityFlag, neighbours: number, median: number | null];

export function isJudgedMean(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [mean, flag, neighbours, median] = value as unknown[];
  return [mean, flag, neighbours].every(Number.isFinite) && (median === null || Number.isFinite(median));
}

export const JUDGED_MEAN_FORM = {
  pack({ mean, flag, neighbours, median }: JudgedMean): StoredMean {
    return [mean, flag, neighbours, median] satisfies Places as unknown as StoredMean;
  },

  unpack(stored: StoredMean): JudgedMean {
    const [mean, flag, neighbours, median] = stored as unknown as Places;
    return { mean, flag, neighbours, median };
  },
};

/** Order of the keys is order of time within a parameter, and of the devices within an hour. */
export function meanKey(parameter: Parameter, hour: UtcMillis, device: string): string {
  return `${parameter}/${sortable(hour)}/${device}`;
}
