/**
 * What is known of whether a device does its work:
 * - `up`;
 * - `degraded`: it works, and worse than it should (a low frame rate, a spare stream);
 * - `down`;
 * - `planned`: off on purpose, by its operator or for maintenance;
 * - `unknown`: whoever reports it cannot tell, or said a word that Pantau does not know.
 */
export const HEARTBEAT_STATES = ['up', 'degraded', 'down', 'planned', 'unknown'] as const;
export type HeartbeatState = (typeof HEARTBEAT_STATES)[number];

/** Birth or death of a device's connection; `unknown` is a word that Pantau does not know. */
export const STATUS_STATES = ['online', 'offline', 'unknown'] as const;
export type StatusState = (typeof STATUS_STATES)[number];

/** What may be a device's own word for its state: short, and of letters. */
export const STATE_WORD = /^\p{L}[\p{L}\p{N} _.:-]{0,39}$/u;

/** The state that a word means; one that is not known is `unknown`, with the word. */
export function stateOf<S extends string>(
  word: string,
  known: readonly S[],
): { readonly state: S | 'unknown'; readonly stated?: string } {
  const state = known.find((candidate) => candidate === word);
  return state === undefined ? { state: 'unknown', stated: word } : { state };
}
