import { DAY, formatDuration, HOUR, type Millis } from '#libs/kernel';
import type { Rollup } from '#libs/telemetry';

/** The down-sampled tiers of the store. */
export const TIERS = ['hour', 'day'] as const satisfies readonly Rollup['tier'][];
export type Tier = (typeof TIERS)[number];

/** How long the store keeps readings (`raw`) and roll-ups; `Infinity` is for ever. */
export interface StoreRetention {
  readonly raw: Millis;
  readonly hour: Millis;
  readonly day: Millis;
}

export const KEEP_EVERYTHING: StoreRetention = { raw: Infinity, hour: Infinity, day: Infinity };

/** A roll-up covers a whole hour or a calendar day of the regency, which always has 24 hours. */
export const TIER_LENGTH: Readonly<Record<Tier, Millis>> = { hour: HOUR, day: DAY };

export function retentionText(ms: Millis): string {
  return ms === Infinity ? 'forever' : formatDuration(ms);
}
