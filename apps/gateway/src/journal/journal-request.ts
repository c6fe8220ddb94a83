import type { StreamName } from '#libs/streams';
import { z } from 'zod';

/** What whoever examines may see. Who may connect (`identity`) is not for them. */
export const SHOWN_STREAMS = [
  'uplink',
  'readings',
  'signals',
  'rejected',
  'commands',
  'configurations',
  'alerts',
  'rollups',
  'neighbourhoods',
  'liveness',
  'settings',
] as const satisfies readonly StreamName[];

export const shownStream = z.enum(SHOWN_STREAMS);
export type ShownStream = z.output<typeof shownStream>;
/** A place in a path. */
export const place = z.coerce.number().int().min(0);
