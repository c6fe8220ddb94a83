import { defined, utcOffsetOf, utcOffsetText } from '#libs/kernel';
import { patternFault, type TopicMapping } from '#libs/telemetry';
import { z } from 'zod';
import { deviceSchema } from '../registered.js';
import type { StoredMapping } from './topic-settings.js';

const MOST_ALIASES = 1_000;

/** Of a mapping that people make. */
export const mappingId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and hyphens, at most 63');

export const topicPattern = z
  .string()
  .max(1_000)
  .superRefine((pattern, context) => {
    const fault = patternFault(pattern);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  })
  .describe('The topic with named parts, each a whole level, such as tele/{device}/SENSOR');

const utcOffset = z
  .string()
  .max(6)
  .refine((text) => utcOffsetOf(text) !== undefined, 'expected an offset such as +07:00')
  .describe('How far the local time of these devices is ahead of UTC, where they state one without a zone');

export const mappingBody = z.strictObject({
  pattern: topicPattern,
  codec: z.string().min(1).max(100),
  device: deviceSchema.shape.id
    .optional()
    .describe('The device, when the topic does not name it; without both it is the device that publishes'),
  aliases: z
    .record(z.string().min(1).max(200), deviceSchema.shape.id)
    .refine((aliases) => Object.keys(aliases).length <= MOST_ALIASES, `expected at most ${MOST_ALIASES}`)
    .optional()
    .describe('The device by what the topic or the message calls it, in lower case'),
  utcOffset: utcOffset.optional(),
});

export type MappingBody = z.output<typeof mappingBody>;

/** A mapping as people write it. */
export function mappingText({ pattern, codec, device, aliases, utcOffsetMs }: TopicMapping): MappingBody {
  const ahead = utcOffsetMs === undefined ? undefined : utcOffsetText(utcOffsetMs);
  return {
    pattern,
    codec,
    ...defined({ device, aliases: aliases && { ...aliases }, utcOffset: ahead }),
  };
}

export function storedMappingOf(
  id: string,
  { pattern, codec, device, aliases, utcOffset: said }: MappingBody,
): StoredMapping {
  const lower =
    aliases && Object.fromEntries(Object.entries(aliases).map(([name, to]) => [name.toLowerCase(), to]));
  const utcOffsetMs = said === undefined ? undefined : utcOffsetOf(said);
  return { id, pattern, codec, ...defined({ device, aliases: lower, utcOffsetMs }) };
}
