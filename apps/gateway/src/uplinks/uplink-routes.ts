import { DeviceTokens, type Device, type DeviceCredentials, type Registry } from '#libs/identity';
import type { Journal, NewEntry } from '#libs/journal';
import {
  HOUR,
  MINUTE,
  PantauError,
  TokenBuckets,
  type Clock,
  type Millis,
  type Rate,
  type UtcMillis,
} from '#libs/kernel';
import { ID_PATTERN, TOPIC_KINDS, type TimePolicy, type Uplink } from '#libs/telemetry';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { readCsvBatch } from './csv-batch.js';
import { both } from './csv-cells.js';
import { reportOf } from './csv-report.js';
import { checked, problemOf } from '../http/http.js';

export interface UplinkRoutesOptions {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly credentials: DeviceCredentials;
  readonly deviceTokens: DeviceTokens;
  readonly clock: Clock;
  readonly timePolicy: TimePolicy;
  /** Names of the codecs that may be asked for. */
  readonly codecs: ReadonlySet<string>;
  readonly maxPayloadBytes: number;
  /** Wrong passwords of an address. */
  readonly authFailures: Rate;
  readonly messagesPerDevice: Rate;
}

const MAX_BATCH_BYTES = 32 * 1024 * 1024;
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
export function uplinkRoutes(options: UplinkRoutesOptions) {
  const { journal, clock, codecs, maxPayloadBytes } = options;
  const rates = new TokenBuckets(options.messagesPerDevice);
  const authenticate = authenticator(options);

  const admit = async (request: FastifyRequest): Promise<Device> => {
    const device = await authenticate(request);
    const now = clock.now();
    if (!rates.of(device.id, now).tryTake(now))
      throw new PantauError('OVERLOADED', `${device.id} sends faster than it may.`, {
        remedy: 'Send less often, or several lines at once as a batch.',
        transient: true,
      });
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

    scope.post('/api/v1/uplinks/:device', { bodyLimit: maxPayloadBytes }, async (request, reply) => {
      const device = await admit(request);
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

    scope.post('/api/v1/uplinks/:device/batch', { bodyLimit: MAX_BATCH_BYTES }, async (request, reply) => {
      const device = await admit(request);
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

function authenticator({ registry, credentials, deviceTokens, clock, authFailures }: UplinkRoutesOptions) {
  const failures = new TokenBuckets(authFailures);

  const isRight = async (id: string, secret: string, address: string): Promise<boolean> => {
    if (DeviceTokens.looksLike(secret)) return deviceTokens.verify(id, secret);
    if (await credentials.isKnown(id, secret)) return true;
    const now = clock.now();
    const bucket = failures.of(address, now);
    const mayGuess = (): boolean => bucket.has(clock.now());
    if (!ID_PATTERN.test(id)) return false;
    if (!mayGuess())
      throw new PantauError('OVERLOADED', 'too many wrong passwords from this address.', { transient: true });
    const isRight = await credentials.verify(id, secret, address, mayGuess);
    // Only wrong ones count: many may come for the first time from one address.
    if (!isRight) bucket.tryTake(clock.now());
    return isRight;
  };

  /** The device that the path names, when whoever asks may speak for it. */
  return async ({ headers, params, ip }: FastifyRequest): Promise<Device> => {
    const wanted = (params as { readonly device: string }).device;
    const [scheme = '', secret = ''] = (headers.authorization ?? '').split(' ');
    const [user = '', ...rest] =
      scheme.toLowerCase() === 'basic' ? Buffer.from(secret, 'base64').toString('utf8').split(':') : [];
    const [id, password] = scheme.toLowerCase() === 'bearer' ? [wanted, secret] : [user, rest.join(':')];
    const sender = await registry.device(id);
    if (password === '' || !(await isRight(id, password, ip)) || sender === undefined)
      throw new PantauError('TOKEN_INVALID', 'device id or password are missing or wrong.', {
        remedy: 'Send the MQTT credentials of the device as HTTP basic authentication.',
      });
    if (id === wanted) return sender;
    const other = sender.speaksFor?.includes(wanted) === true ? await registry.device(wanted) : undefined;
    if (other === undefined)
      throw new PantauError('FORBIDDEN', `${id} does not speak for ${wanted.slice(0, 63)}.`);
    return other;
  };
}

/** These routes are Fastify's own, so Nest does not describe them. */
export function describeUplinkRoutes(document: OpenAPIObject): OpenAPIObject {
  const device = { name: 'device', in: 'path' as const, required: true, schema: { type: 'string' as const } };
  const query = (name: string, description: string) => ({
    name,
    in: 'query' as const,
    required: false,
    description,
    schema: { type: 'string' as const },
  });
  const answers = { 202: { description: 'Tersimpan di jurnal / durable in the journal' } };
  const common = { tags: ['Perangkat / Devices'], security: [{ basic: [] }], responses: answers };
  document.components = {
    ...document.components,
    securitySchemes: { ...document.components?.securitySchemes, basic: { type: 'http', scheme: 'basic' } },
  };
  document.paths['/api/v1/uplinks/{device}'] = {
    post: {
      ...common,
      summary: 'Kiriman perangkat lewat HTTP / A message of a device over HTTP',
      parameters: [
        device,
        query('codec', 'Codec, when it is not Pantau’s own JSON'),
        query('kind', 'telemetry, …'),
      ],
      requestBody: { content: { 'application/json': {} } },
    },
  };
  document.paths['/api/v1/uplinks/{device}/batch'] = {
    post: {
      ...common,
      summary: 'Unggahan CSV pencatat luring / CSV upload of an offline logger, with a report by line',
      parameters: [
        device,
        query('utcOffset', 'Waktu tanpa zona / of times without a zone, such as +07:00'),
        query('decimal', 'Tanda desimal / decimal mark: comma, point; else as the file proves it'),
        query('order', 'any: baris tanpa urutan / lines in no order, whose times are right all the same'),
        query('dryRun', 'true: hanya menilai / only judge the file, and show what would be stored'),
      ],
      requestBody: { content: { 'text/csv': {} } },
      responses: {
        ...answers,
        200: { description: 'dryRun: yang akan disimpan / what would be stored' },
        400: {
          description:
            'Berkas tidak jelas, tidak satu baris pun diambil; problems menyebut baris, kolom, dan cara memperbaiki / not clear as a whole, nothing was taken; problems name line, column and remedy',
        },
      },
    },
  };
  return document;
}
