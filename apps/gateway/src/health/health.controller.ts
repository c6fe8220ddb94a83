import type { Principal } from '#libs/identity';
import { newestFirst, lagOf } from '#libs/journal';
import { messageOf, SECOND, shardOf, type Millis } from '#libs/kernel';
import { LIVENESS_KEY } from '#libs/telemetry';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { Caller } from '../http/auth.js';
import { ApiZodAnswer } from '../http/openapi.js';
import { healthSchema } from './health-answer.js';
import { Public } from '../http/permission.js';

/** Longer than a large batch, its commit and a collection of garbage hold up a thread. */
const HELD_UP: Millis = 15 * SECOND;
/** Beside the newest one there stands what goes to the shard, of the broker and of the bridge. */
const RECORDS = 8;

type Health = Answer<typeof healthSchema>;
type Status = Health['status'];
type Part = Health['parts'][string];

const WORDS: Readonly<Record<Status, string>> = {
  ok: 'Pantau bekerja / Pantau works',
  degraded:
    'Pantau bekerja sebagian; data yang diakui tidak hilang / Pantau works in part; nothing that was acknowledged is lost',
  down: 'Ada bagian yang harus berjalan tetapi berhenti; lihat log / A part that should run does not; see the log',
};

@ApiTags('Pantau')
@Controller('api/v1')
export class HealthController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get('health')
  @Public()
  @ApiOperation({
    summary: 'Apakah Pantau bekerja / Whether Pantau works',
    description:
      'No token needed. `degraded` (200): the store is away or the disk is full (`journal.accepting` is false: devices get no acknowledgement and keep their data). `down` (503): one of `parts` that should run does not. With a token the answer also holds the free space, the error of the store, the delay of each thread, and `lag`: the number of entries of a stream that a stage has not read yet.',
  })
  @ApiZodAnswer(healthSchema, 200, 'ok, degraded')
  @ApiZodAnswer(healthSchema, 503, 'down')
  async health(
    @Caller() caller: Principal | undefined,
    @Res({ passthrough: true }) reply: { status(code: number): unknown },
  ): Promise<Answer<typeof healthSchema>> {
    const { journal, store, watched } = this.pantau;
    const [storeError, space, hears, standing] = await Promise.all([
      store.ping().then(
        () => undefined,
        (error: unknown) => messageOf(error),
      ),
      journal.space(),
      this.#hearsDevices(),
      this.#standing(),
    ]);
    const threads = watched.threads();
    const parts: Record<string, Part> = Object.fromEntries(
      [
        ...threads.map(({ name, lagMs }) => [name, lagMs !== undefined && lagMs < HELD_UP] as const),
        ['listener', hears] as const,
        ...Object.keys(watched.stages).map((stage) => [`stage ${stage}`, standing.has(stage)] as const),
      ].map(([name, runs]): [string, Part] => [name, runs ? 'ok' : 'down']),
    );
    const isDown = Object.values(parts).includes('down');
    const isWhole = storeError === undefined && space.accepting;
    const status: Status = isDown ? 'down' : isWhole ? 'ok' : 'degraded';
    if (isDown) reply.status(503);
    const answer: Health = {
      status,
      detail: WORDS[status],
      parts,
      store: { status: storeError === undefined ? 'ok' : 'unavailable' },
      journal: { accepting: space.accepting },
    };
    // No address, no path and no size for whom nobody knows.
    if (caller === undefined) return answer;
    return {
      ...answer,
      store: { ...answer.store, ...(storeError === undefined ? {} : { error: storeError }) },
      // Infinite where nobody can tell, which JSON cannot say.
      journal: { ...space, freeBytes: Number.isFinite(space.freeBytes) ? space.freeBytes : null },
      threads: Object.fromEntries(threads.map(({ name, lagMs }) => [name, { lagMs: lagMs ?? null }])),
      lag: await this.#lag(),
    };
  }

  /** Whether the listeners, or the bridge, recorded not long ago that they hear devices. */
  async #hearsDevices(): Promise<boolean> {
    const { journal, clock, presencePolicy } = this.pantau;
    const shard = shardOf(LIVENESS_KEY, journal.shards);
    for await (const { key, data } of newestFirst(journal, 'liveness', shard, () => undefined, RECORDS)) {
      if (key !== LIVENESS_KEY) continue;
      return data.kind !== 'stop' && clock.now() - data.at <= presencePolicy.brokerSilenceMs;
    }
    return false;
  }

  /**
   * Stages that a process has claimed, and that hold a cursor in every shard of all their streams: they take one before their
   * first batch, and keep it when their process ends.
   */
  async #standing(): Promise<ReadonlySet<string>> {
    const { journal, watched } = this.pantau;
    const claimed = await watched.claimed();
    const cursors = new Map<string, number>();
    for (const { cursor, stream } of await journal.cursors())
      cursors.set(`${cursor}/${stream}`, (cursors.get(`${cursor}/${stream}`) ?? 0) + 1);
    const stands = ([stage, streams]: readonly [string, readonly string[]]): boolean =>
      claimed.has(stage) &&
      streams.every((stream) => (cursors.get(`${stage}/${stream}`) ?? 0) >= journal.shards);
    return new Set(
      Object.entries(watched.stages)
        .filter(stands)
        .map(([stage]) => stage),
    );
  }

  /** By stage and stream. */
  async #lag(): Promise<Record<string, number>> {
    const { journal, watched } = this.pantau;
    const lag: Record<string, number> = {};
    for (const [stage, streams] of Object.entries(watched.stages))
      for (const stream of streams) lag[`${stage}.${stream}`] = await lagOf(journal, stage, stream);
    return lag;
  }
}
