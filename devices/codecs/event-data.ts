import type { CodecEvent } from '#libs/telemetry';
import type { Members } from './reading.js';

/** The members that an event can carry: numbers, booleans, null and text; what is nested or not finite is left out. */
export function eventData(members: Members, names = Object.keys(members)): NonNullable<CodecEvent['data']> {
  const data: [string, string | number | boolean | null][] = [];
  for (const name of names) {
    const value = members[name];
    if (typeof value === 'string') data.push([name.slice(0, 64), value.slice(0, 1000)]);
    else if (typeof value === 'boolean' || value === null || Number.isFinite(value))
      data.push([name.slice(0, 64), value as number | boolean | null]);
  }
  return Object.fromEntries(data);
}
