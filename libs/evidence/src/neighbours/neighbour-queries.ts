import { HOUR, hourOf, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { resultOf, type QualityResult } from '#libs/quality-control';
import type { StateStore } from '#libs/state';
import type { Parameter } from '#libs/telemetry';
import { JUDGED_MEAN_FORM, meanKey, type JudgedMean } from './judged-mean-form.js';
import { DISAGREEMENTS, JUDGED_MEANS } from '../namespaces.js';

/** What its neighbours say of the mean of a device's hour. */
export interface NeighbourOpinion extends QualityResult {
  /** How many were asked. */
  readonly count: number;
  /** Of their means, in the unit of the parameter. */
  readonly median: number | null;
}

/** A device's hour with which its neighbours disagree. */
export interface Disagreement {
  readonly device: string;
  readonly parameter: Parameter;
  readonly hour: UtcMillis;
  readonly mean: number;
  readonly neighbours: NeighbourOpinion;
}

/** Where a disagreement stands in the list: by hour, then parameter, then device. */
export type DisagreementPlace = Pick<Disagreement, 'hour' | 'parameter' | 'device'>;

/** What the evidence stage tells others of the comparison between devices. */
export interface NeighbourQueries {
  /** What the neighbours of a device say of its hours, in their order; undefined where nobody could be asked. */
  opinions(
    device: string,
    parameter: Parameter,
    hours: readonly UtcMillis[],
  ): Promise<(NeighbourOpinion | undefined)[]>;
  /**
   * The hours with which the neighbours of their devices disagree, newest first.
   *
   * @param span - the hour that holds its start is the first
   * @param limit - at most so many
   * @param after - only what comes behind this in the list
   */
  disagreements(
    parameters: readonly Parameter[],
    span: TimeSpan,
    limit: number,
    after?: DisagreementPlace,
  ): Promise<Disagreement[]>;
}

/** Answers from the state store. */
export class LocalNeighbourQueries implements NeighbourQueries {
  constructor(private readonly state: StateStore) {}

  async opinions(
    device: string,
    parameter: Parameter,
    hours: readonly UtcMillis[],
  ): Promise<(NeighbourOpinion | undefined)[]> {
    const judged = await this.#means(hours.map((hour) => meanKey(parameter, hour, device)));
    return judged.map((mean) => (mean === undefined || mean.flag === 2 ? undefined : opinionOf(mean)));
  }

  async disagreements(
    parameters: readonly Parameter[],
    { from, to }: TimeSpan,
    limit: number,
    after?: DisagreementPlace,
  ): Promise<Disagreement[]> {
    const found: { key: string; parameter: Parameter; hour: UtcMillis; device: string }[] = [];
    for (const [i, parameter] of parameters.entries()) {
      const keys = await this.state.list(DISAGREEMENTS, {
        from: meanKey(parameter, hourOf(from), ''),
        to:
          after === undefined
            ? meanKey(parameter, to, '')
            : behind(after, i - parameters.indexOf(after.parameter), parameter),
        reverse: true,
        limit,
      });
      for (const { key } of keys) {
        const [, hour, device = ''] = key.split('/');
        found.push({ key, parameter, hour: Number(hour), device });
      }
    }
    // Stable: within an hour the parameters keep their order, and each its devices.
    const newest = found.sort((a, b) => b.hour - a.hour).slice(0, limit);
    const judged = await this.#means(newest.map(({ key }) => key));
    return newest.flatMap(({ parameter, hour, device }, i) => {
      const own = judged[i];
      // Between the two looks the neighbours may have changed their mind.
      if (own?.flag !== 3) return [];
      return [{ device, parameter, hour, mean: own.mean, neighbours: opinionOf(own) }];
    });
  }

  async #means(keys: readonly string[]): Promise<(JudgedMean | undefined)[]> {
    const stored = await this.state.getMany(JUDGED_MEANS, keys);
    return stored.map((mean) => mean && JUDGED_MEAN_FORM.unpack(mean));
  }
}

function opinionOf({ flag, neighbours, median }: JudgedMean): NeighbourOpinion {
  return { ...resultOf('neighbour', flag), count: neighbours, median };
}

/** The key before which a parameter goes on. @param order - where it stands beside the parameter of that place, which comes first in an hour */
function behind({ hour, device }: DisagreementPlace, order: number, parameter: Parameter): string {
  if (order === 0) return meanKey(parameter, hour, device);
  return meanKey(parameter, order < 0 ? hour : hour + HOUR, '');
}
