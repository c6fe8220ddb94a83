import { localDaySpan } from '#libs/kernel';
import { PARAMETER_CODES, type Parameter } from '#libs/telemetry';
import { z } from 'zod';

/** At most so many items of a list. */
export const limit = (standard: number, most: number) =>
  z.coerce.number().int().min(1).max(most).default(standard).describe(`At most this many, 1 to ${most}`);
/** A time outside these is a typing error. */
const EARLIEST = 0;
const LATEST = Date.UTC(2200, 0);
export const instant = z.iso
  .datetime({ offset: true, error: 'expected ISO 8601 with Z or an offset' })
  .transform((text) => Date.parse(text))
  .refine((at) => at >= EARLIEST && at < LATEST, 'expected a time from 1970 to 2199');
export const day = z
  .string()
  .refine((text) => localDaySpan(text) !== undefined, 'expected a calendar day, YYYY-MM-DD');
export const id = z.string().max(63);
export const parameter = z.enum(PARAMETER_CODES as readonly [Parameter, ...Parameter[]]);

/** The span of a query goes forwards. */
export const forwards = [
  ({ from, to }: { readonly from?: number | undefined; readonly to?: number | undefined }): boolean =>
    from === undefined || to === undefined || from < to,
  { path: ['to'] as string[], message: 'expected a time after from' },
] as const;

export const jsonOfAtMost = (bytes: number) => (value: unknown) =>
  JSON.stringify(value ?? null).length <= bytes;
