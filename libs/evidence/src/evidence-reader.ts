/** Which indicator records are wanted; days are calendar days of the regency, both ends included. */
export interface IndicatorQuery {
  readonly indicator?: string;
  readonly device?: string;
  readonly site?: string;
  readonly from?: string;
  readonly to?: string;
  /** At most this many, newest day first. */
  readonly limit: number;
}
