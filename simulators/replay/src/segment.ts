import { FILE_BOUNDS, messageOf, PantauError, parseJson, type Millis, type UtcMillis } from '#libs/kernel';
import { ID_PATTERN, TOPIC_KINDS } from '#libs/telemetry';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Message, Replay, ReplayedDevice } from './messages.js';

const id = z.string().regex(ID_PATTERN);

/** One line of a segment of a journal (JSON Lines): the header, its devices, then the messages of each in their order. */
export const segmentSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('segment'),
    version: z.literal(1),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    anonymised: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('device'),
    device: id,
    site: id,
    kind: z.enum(['air', 'camera', 'gateway']),
    intervalMs: z.int().positive(),
  }),
  z.strictObject({
    type: z.literal('message'),
    device: id,
    kind: z.enum(TOPIC_KINDS),
    receivedAt: z.iso.datetime(),
    /** Base64 of the bytes of the device. */
    payload: z.base64(),
  }),
]);
export type SegmentLine = z.output<typeof segmentSchema>;
type DeviceLine = Extract<SegmentLine, { type: 'device' }>;

export interface Segment {
  readonly from: UtcMillis;
  readonly devices: readonly DeviceLine[];
  /** What its devices sent. Shifted, the times that they state are shifted as well. */
  replay(shiftMs: Millis): Replay;
}

/** True for the name of a file that `pantau export` writes. */
export function isSegment(name: string): boolean {
  return /\.jsonl(\.gz)?$/.test(name);
}

/** @throws PantauError `CONFIG_UNREADABLE`, or `CONFIG_INVALID` with file and line */
export function readSegment(file: string): Segment {
  if (!existsSync(file))
    throw new PantauError('CONFIG_UNREADABLE', `cannot read the segment ${file}.`, {
      remedy: 'Write one: pantau export <file> --from <instant> --to <instant>',
    });
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trim();
  const lines = text.split('\n').map((line, i) => parsed(file, i + 1, line));
  const [header] = lines;
  if (header?.type !== 'segment')
    throw new PantauError('CONFIG_INVALID', `${file}:1: expected a line of the type "segment"`);
  const devices = lines.filter((line): line is DeviceLine => line.type === 'device');
  return {
    from: Date.parse(header.from),
    devices,
    replay(shiftMs) {
      const messages = new Map<string, Message[]>(devices.map(({ device }) => [device, []]));
      for (const [i, line] of lines.entries()) {
        if (line.type !== 'message') continue;
        const list = messages.get(line.device);
        if (list === undefined)
          throw new PantauError(
            'CONFIG_INVALID',
            `${file}:${i + 1}: no line names the device ${line.device}`,
          );
        const dueAt = Date.parse(line.receivedAt) + shiftMs;
        list.push({
          ts: dueAt,
          dueAt,
          kind: line.kind,
          payload: shifted(Buffer.from(line.payload, 'base64'), shiftMs),
        });
      }
      return new Map(
        devices.map(({ device, site }): [string, ReplayedDevice] => [
          device,
          { site, messages: messages.get(device) ?? [] },
        ]),
      );
    },
  };
}

function parsed(file: string, line: number, text: string): SegmentLine {
  const invalid = (reason: string): PantauError =>
    new PantauError('CONFIG_INVALID', `${file}:${line}: ${reason}`, {
      remedy: 'Write it again: pantau export <file> --from <instant> --to <instant>',
    });
  let value: unknown;
  try {
    value = parseJson(text, FILE_BOUNDS, file);
  } catch (cause) {
    throw invalid(messageOf(cause));
  }
  const result = segmentSchema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

const TIMES = ['ts', 'lastFrameAt'];

/** The same bytes, or the same message so much later. What is no JSON object with a time stays as it is. */
function shifted(payload: Buffer, shiftMs: Millis): Buffer {
  if (shiftMs === 0) return payload;
  let message: unknown;
  try {
    message = parseJson(payload, FILE_BOUNDS);
  } catch {
    return payload;
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return payload;
  const entries = Object.entries(message as Record<string, unknown>).map(
    ([key, value]): [string, unknown] => {
      if (!TIMES.includes(key)) return [key, value];
      if (typeof value === 'number') return [key, value + shiftMs];
      const at = typeof value === 'string' ? Date.parse(value) : NaN;
      return [key, Number.isNaN(at) ? value : new Date(at + shiftMs).toISOString()];
    },
  );
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}
