import { checked, problemOf } from '#libs/http';
import type { Device } from '#libs/identity';
import type { NewEntry } from '#libs/journal';
import { HOUR, MINUTE, PantauError, TokenBuckets, type Millis, type UtcMillis } from '#libs/kernel';
import { TOPIC_KINDS, type Uplink } from '#libs/telemetry';
import { errorCodes } from 'fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { readCsvBatch } from './csv/csv-batch.js';
import { both } from './csv/csv-cells.js';
import { reportOf } from './csv/csv-report.js';
import type { HttpIntakeOptions } from './options.js';
import { SenderCheck } from './sender-check.js';

const ENTRIES_AT_A_TIME = 1_000;

const uplinkQuery = z.strictObject({
  codec: z.string().max(63).optional(),
  kind: z.enum(TOPIC_KINDS).default('telemetry'),
});
const batchQuery = z.strictObject({
  utcOffset: z
    .string()
    .regex(/^[ +-]\d{2}:[0-5]\d$/, 'expected an offset such as +07:00')
    .transform((text): Millis => {
      const ms = Number(text.slice(1, 3)) * HOUR + Number(text.slice(4)) * MINUTE;
      // A plus sign in a query is a blank, unless it is written as %2B.
      return text.startsWith('-') ? -ms : ms;
    })
    .optional(),
  decimal: z.enum(['comma', 'point']).optional(),
  order: z.literal('any').optional(),
  dryRun: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false),
});

/**
 * Uplinks over HTTP, for devices that post: the same journal and the same rule as over MQTT. An answer of 202 means that
 * the message is on disk; what is wrong with its content is found out later and listed at `/api/v1/rejected`.
 *
 * Devices authenticate with their MQTT credentials (basic authentication), or a short-lived token as bearer.
 */
export function uplinkRoutes(options: HttpIntakeOptions) {
  const { journal, clock, codecs, maxPayloadBytes, maxBatchBytes } = options;
  const rates = new TokenBuckets(options.messagesPerDevice);
  const senders = new SenderCheck(options);

  const admitted = new WeakMap<FastifyRequest, Device>();
  /** Before the body is read: whoever may send nothing makes Pantau hold nothing. */
  const admit = async (request: FastifyRequest): Promise<void> => {
    const device = await senders.deviceOf(request);
    const now = clock.now();
    if (!rates.of(device.id, now).tryTake(now))
      throw new PantauError('OVERLOADED', `${device.id} sends faster than it may.`, {
        remedy: 'Send less often, or several lines at once as a batch.',
        transient: true,
      });
    admitted.set(request, device);
  };
  const senderOf = (request: FastifyRequest): Device => {
    const device = admitted.get(request);
    if (device === undefined) throw new TypeError('nobody was admitted');
    return device;
  };
  const append = async (
    { id, site }: Device,
    messages: readonly Pick<Uplink, 'kind' | 'payload' | 'codec' | 'fromFile'>[],
    receivedAt: UtcMillis,
  ) => {
    for (let from = 0; from < messages.length; from += ENTRIES_AT_A_TIME) {
      const entries = messages.slice(from, from + ENTRIES_AT_A_TIME).map((message): NewEntry<Uplink> => ({
        key: id,
        data: {
          site,
          device: id,
          topic: '',
          receivedAt,
          qos: 1,
          messageId: undefined,
          dup: false,
          session: 'http',
          will: false,
          ...message,
        },
      }));
      await journal.append('uplink', entries, { yields: true });
    }
  };

  return async (scope: FastifyInstance): Promise<void> => {
    // Content is not judged here, so it is not parsed here.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    const single = { bodyLimit: maxPayloadBytes, onRequest: [admit, atMost(maxPayloadBytes)] };
    scope.post('/api/v1/uplinks/:device', single, async (request, reply) => {
      const device = senderOf(request);
      const { codec, kind } = checked(uplinkQuery, request.query);
      if (codec !== undefined && !codecs.has(codec))
        throw new PantauError('USAGE', `there is no codec ${codec}.`, {
          remedy: `Known: ${[...codecs].sort().join(', ')}.`,
        });
      const payload = (request.body as Buffer | null) ?? Buffer.alloc(0);
      const receivedAt = clock.now();
      await append(
        device,
        [codec === undefined ? { kind, payload } : { kind: 'foreign', codec, payload }],
        receivedAt,
      );
      return reply.status(202).send({ device: device.id, receivedAt: new Date(receivedAt).toISOString() });
    });

    const batch = { bodyLimit: maxBatchBytes, onRequest: [admit, atMost(maxBatchBytes)] };
    scope.post('/api/v1/uplinks/:device/batch', batch, async (request, reply) => {
      const device = senderOf(request);
      const { utcOffset, decimal, order, dryRun } = checked(batchQuery, request.query);
      const receivedAt = clock.now();
      const file = readCsvBatch(textOf(request.body as Buffer | null), {
        utcOffsetMs: utcOffset,
        decimal,
        order,
        receivedAt,
        policy: { ...options.timePolicy, maxAgeMs: device.maxAgeMs ?? options.timePolicy.maxAgeMs },
      });
      const report = { device: device.id, ...reportOf(file, dryRun) };
      if (file.faults.length > 0) {
        const error = new PantauError(
          'USAGE',
          both(
            'berkas ini tidak jelas; tidak satu baris pun diambil',
            'the file is not clear as a whole; not one line of it was taken',
          ),
        );
        return reply
          .status(400)
          .header('content-type', 'application/problem+json; charset=utf-8')
          .send({ ...problemOf(error, request.url), ...report });
      }
      if (dryRun) return reply.status(200).send({ dryRun, ...report });
      const rows = file.rows.toSorted((a, b) => (a.ts ?? 0) - (b.ts ?? 0));
      await append(
        device,
        rows.map(({ payload }) => ({ kind: 'telemetry', payload, fromFile: true })),
        receivedAt,
      );
      return reply.status(202).send({ receivedAt: new Date(receivedAt).toISOString(), ...report });
    });
  };
}

function textOf(body: Buffer | null): string {
  const bytes = body ?? Buffer.alloc(0);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new PantauError('USAGE', both('berkas ini UTF-16', 'the file is UTF-16'), {
      remedy: both('Simpan sebagai CSV UTF-8', 'Save it as CSV UTF-8'),
    });
  return bytes.toString('utf8');
}

/**
 * Refuses what announces more. Fastify would do it too, and close the connection on a body that is still on its way: who
 * sends it may then meet a reset instead of the answer.
 */
function atMost(bytes: number): (request: FastifyRequest) => Promise<void> {
  return ({ headers }) =>
    Number(headers['content-length'] ?? 0) > bytes
      ? Promise.reject(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
      : Promise.resolve();
}
