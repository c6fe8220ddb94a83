import type { Alert } from '../../../client';

const MARGIN = 30 * 60_000;

/** How long it lasts, or lasted. Milliseconds. */
export function lastingOf({ since, at, state }: Pick<Alert, 'since' | 'at' | 'state'>, now: number): number {
  const isOver = state === 'resolved' || state === 'cancelled';
  return (isOver ? Date.parse(at) : now) - Date.parse(since);
}

export const isOver = ({ state }: Pick<Alert, 'state'>): boolean =>
  state === 'resolved' || state === 'cancelled';

/** The page of an alert; its id has a place for the rule, the device and the beginning. */
export const pathOf = ({ alert }: Pick<Alert, 'alert'>): string => `/alerts/${alert}`;

/** The chart of the device around what the alert tells of. */
export function chartOf({
  device,
  parameter,
  since,
  evidence = [],
  at,
}: Pick<Alert, 'device' | 'parameter' | 'since' | 'evidence' | 'at'>): string {
  const times = [since, at, ...evidence.map(({ ts }) => ts)].map((ts) => Date.parse(ts));
  const query = new URLSearchParams({
    ...(parameter === undefined ? {} : { parameter }),
    dari: new Date(Math.min(...times) - MARGIN).toISOString(),
    sampai: new Date(Math.max(...times) + MARGIN).toISOString(),
  });
  return `/perangkat/${device}?${query.toString()}`;
}
