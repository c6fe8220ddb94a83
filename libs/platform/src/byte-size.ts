import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** A number of bytes as written in files: `512MB` or `512 MB` (millions), `1.5GiB` (2^30), or the plain number. */
export const byteSize = z.union([z.number(), z.string()]).transform((written, context): number => {
  const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?) ?([kKMG]?i?B)?$/.exec(String(written)) ?? [];
  const bytes = Math.round(Number(number) * (UNITS[unit] ?? NaN));
  if (bytes > 0) return bytes;
  context.addIssue({
    code: 'custom',
    message: `expected a size such as 512MB or 2GB, found "${String(written)}"`,
  });
  return z.NEVER;
});

/** For people, in whole millions, never less than there are. */
export function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`;
}
