import { messageOf, SECOND } from '#libs/kernel';
import {
  Controller,
  Get,
  Headers,
  Inject,
  Logger,
  Query,
  Req,
  Res,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { AuthenticatedRequest } from '../http/auth.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { ApiZodQuery } from '../http/openapi.js';
import { LiveFeed } from './live-feed.js';
import { parsePosition } from './live-position.js';
import { LIVE_TOPICS, type LiveTopic } from './live-topics.js';

/** A reader that takes nothing for as long is let go; it comes back with the id of its last event. */
const STALLED = 30 * SECOND;
/** How often it is looked at whether the reader may still read. */
const RIGHTS_LOOKED_AT = 5 * SECOND;
/** When a browser comes back after its connection was lost. */
const RETRY = 2 * SECOND;

const isTopic = (word: string): word is LiveTopic => LIVE_TOPICS.some((known) => known === word);

export const liveQuery = z.strictObject({
  topics: z
    .string()
    .default(LIVE_TOPICS.join(','))
    .transform((text) => [...new Set(text.split(','))])
    .refine(
      (topics) => topics.every(isTopic),
      `expected some of ${LIVE_TOPICS.join(', ')}, with commas between`,
    )
    .transform((topics) => topics.filter(isTopic))
    .describe(`Some of ${LIVE_TOPICS.join(', ')}, with commas between; all by default`),
  site: z.string().max(63).optional(),
  device: z.string().max(63).optional(),
});

/** What happens, as it happens: server-sent events (HTML standard, 9.2). */
@ApiTags('Pantau')
@Controller('api/v1/live')
export class LiveController implements OnModuleDestroy {
  readonly #log = new Logger('live');
  readonly #feed: LiveFeed;

  constructor(@Inject(DEPENDENCIES) { journal }: GatewayDependencies) {
    this.#feed = new LiveFeed(
      journal,
      (fault) => this.#log.warn(`an entry cannot be read and is passed over: ${fault.message}`),
      (error) => this.#log.error(`the journal cannot be followed: ${messageOf(error)}`),
    );
  }

  /** Before the server closes, which waits for its answers. */
  onModuleDestroy(): void {
    this.#feed.close();
  }

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'Kejadian seketika / What happens, as it happens',
    description:
      'Server-sent events: `readings`, `presence` (connections, heartbeats, states, events of devices), `alerts`, `figures` (hours and days that are new or have changed), `commands` (each state that one comes into). The first event is `start`. After a lost connection or a restart `Last-Event-ID` goes on behind that event: nothing is missed and nothing comes twice. `lost` tells of entries that retention took meanwhile.',
  })
  @ApiZodQuery(liveQuery)
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The id of the last event that was seen; begins now without it',
  })
  @ApiOkResponse({ content: { 'text/event-stream': { schema: { type: 'string' } } } })
  async live(
    @Query(new ZodPipe(liveQuery)) { topics, site, device }: z.output<typeof liveQuery>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() { method, stillHolds }: AuthenticatedRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const since = parsePosition(lastEventId);
    const { raw } = reply;
    const { socket } = raw;
    const gone = new AbortController();
    raw.once('close', () => gone.abort());
    const events = this.#feed.read({ topics, site, device }, since, gone.signal);
    // Before the answer begins: what is refused is a problem with its status.
    const { value: first = Buffer.alloc(0) } = await events.next();
    reply.hijack();
    const watch = setInterval(() => void endUnless(stillHolds, gone), RIGHTS_LOOKED_AT);
    try {
      raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // A proxy that waits for more would hold events back.
        'x-accel-buffering': 'no',
      });
      if (method === 'HEAD') return;
      raw.write(`retry: ${RETRY}\n\n`);
      await send(raw, first, gone.signal);
      for await (const some of events) await send(raw, some, gone.signal);
    } catch (error) {
      if (!gone.signal.aborted) this.#log.debug(`a reader was let go: ${messageOf(error)}`);
    } finally {
      clearInterval(watch);
      await events.return(undefined);
      // Whoever closes one half of the connection has left it; the answer itself does not close the other.
      if (gone.signal.aborted) socket?.destroy();
      else raw.end();
    }
  }
}

/** Nobody goes on reading whose session or token was ended, nor when that cannot be told. */
async function endUnless(
  stillHolds: AuthenticatedRequest['stillHolds'],
  gone: AbortController,
): Promise<void> {
  const holds = await Promise.resolve(stillHolds?.()).catch(() => false);
  if (holds !== true) gone.abort();
}

/** Waits while the socket is full, so a slow reader is sent no more than it takes. @throws Error when it takes nothing for {@link STALLED} */
async function send(raw: ServerResponse, bytes: Buffer, gone: AbortSignal): Promise<void> {
  if (raw.write(bytes)) return;
  await once(raw, 'drain', { signal: AbortSignal.any([gone, AbortSignal.timeout(STALLED)]) });
}
