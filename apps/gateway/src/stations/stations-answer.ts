import {
  currentIndex,
  ISPU_AVERAGING_HOURS,
  ISPU_CATEGORIES,
  ISPU_PARAMETERS,
  ISPU_REQUIRED_HOURS,
  type Ispu,
} from '#libs/air-quality';
import type { Device } from '#libs/identity';
import { defined, HOUR, type UtcMillis } from '#libs/kernel';
import { z } from 'zod';
import { listOf } from '../http/answer.js';
import { hoursBefore, newestHourEnd, NO_HOURS, type RecentHours } from './recent-hours-form.js';

const instant = z.iso.datetime();
const parameter = z.enum(ISPU_PARAMETERS);

const indexSchema = z.strictObject({
  index: z.int().min(0).describe('ISPU, Permen LHK P.14/2020; above 300 by convention, never above 500'),
  category: z.strictObject({
    code: z.enum(ISPU_CATEGORIES.map(({ code }) => code)),
    name: z.string(),
    nameEn: z.string(),
    colour: z.string(),
  }),
  critical: parameter.describe('The parameter with the highest sub-index (parameter kritis)'),
  beyondScale: z
    .boolean()
    .describe('The concentration is above the end of the scale; the index is held at 500'),
});

export const stationSchema = z
  .strictObject({
    device: z.string(),
    name: z.string(),
    site: z.string(),
    at: instant.describe('The end of the 24 hours that the index speaks of: the last full hour'),
    newestHourEnd: instant.optional().describe('The end of the newest hour of which there is a mean'),
    status: z
      .enum(['ok', 'not_enough_data', 'silent'])
      .describe(
        `not_enough_data: no parameter has ${ISPU_REQUIRED_HOURS} valid hours of the last ${ISPU_AVERAGING_HOURS}; silent: none has any`,
      ),
    ispu: indexSchema.optional(),
    parameters: z
      .array(
        z.strictObject({
          parameter,
          mean: z
            .number()
            .nullable()
            .describe('Over the last 24 hours, µg/m³; null with too few valid hours'),
          subIndex: z.int().optional(),
          validHours: z.int().min(0).max(ISPU_AVERAGING_HOURS),
          requiredHours: z.int(),
        }),
      )
      .describe('Those of which an hour of the last 24 is valid'),
    nowCast: z
      .strictObject({ pm25: z.number().optional(), pm10: z.number().optional() })
      .describe(
        'Of particulate matter, µg/m³, over at most twelve hours: what the mean would say if it could react. No part of ISPU',
      ),
  })
  .meta({ id: 'Station' });
export type Station = z.output<typeof stationSchema>;

export const stationsSchema = listOf(stationSchema);

/** What the recent hours of a station say of the air there. */
export function stationOf(
  { id, name, site }: Pick<Device, 'id' | 'name' | 'site'>,
  hours: RecentHours = NO_HOURS,
  now: UtcMillis,
): Station {
  const { ispu, means, nowCast } = currentIndex(hoursBefore(hours, now));
  const newest = newestHourEnd(hours);
  const parameters = ISPU_PARAMETERS.flatMap((one) => {
    const known = means[one];
    if (known === undefined) return [];
    const subIndex = ispu?.subIndices[one];
    return { parameter: one, ...known, ...defined({ subIndex }), requiredHours: ISPU_REQUIRED_HOURS };
  });
  return {
    device: id,
    name,
    site,
    at: new Date(Math.floor(now / HOUR) * HOUR).toISOString(),
    ...(newest === undefined ? {} : { newestHourEnd: new Date(newest).toISOString() }),
    status: ispu !== undefined ? 'ok' : parameters.length > 0 ? 'not_enough_data' : 'silent',
    ...(ispu === undefined ? {} : { ispu: shown(ispu) }),
    parameters,
    nowCast: defined({ pm25: nowCast.pm25?.value, pm10: nowCast.pm10?.value }),
  };
}

function shown({ index, category, critical, beyondScale }: Ispu): z.output<typeof indexSchema> {
  const { code, name, nameEn, colour } = category;
  return { index, category: { code, name, nameEn, colour }, critical, beyondScale };
}
