import type { Millis } from '#libs/kernel';
import { STREAM_NAMES, type StreamName } from '#libs/streams';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { oldestReadable } from '../journal/appended-since.js';
import { storageSchema } from './storage-answer.js';

/** What Pantau keeps, how long, and what room is left. */
@ApiTags('Pantau')
@Controller('api/v1/storage')
export class StorageController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('administer')
  @ApiOperation({
    summary: 'Apa yang disimpan, dan berapa lama / What is kept, and how long',
    description:
      'The streams of the journal with what they hold and when their oldest entries go, the retention of the store, and the room on the disk. Retention is set in `pantau.yaml` (`journal.retention`, `store.retention`).',
  })
  @ApiZodAnswer(storageSchema)
  async storage(): Promise<Answer<typeof storageSchema>> {
    const { journal, keeping } = this.pantau;
    const [{ freeBytes, minFreeBytes, accepting }, stats] = await Promise.all([
      journal.space(),
      journal.stats(),
    ]);
    const held = new Map(stats.map((each) => [each.stream, each]));
    const streams = await Promise.all(
      STREAM_NAMES.map(async (stream) => {
        const { entries = 0, bytes = 0 } = held.get(stream) ?? {};
        const { maxAge, maxBytes, unread = 'wait' as const } = keeping.journal[stream] ?? {};
        const oldest = await this.#oldest(stream);
        return {
          ...{ stream, entries, bytes, unread },
          ...(oldest === undefined ? {} : { oldest: new Date(oldest).toISOString() }),
          ...{ maxAgeMs: maxAge ?? null, maxBytes: maxBytes ?? null },
        };
      }),
    );
    const { raw, hour, day } = keeping.store;
    return {
      disk: { freeBytes: orNull(freeBytes), minFreeBytes, accepting },
      streams: streams.sort((a, b) => b.bytes - a.bytes),
      store: { rawMs: orNull(raw), hourMs: orNull(hour), dayMs: orNull(day) },
    };
  }

  async #oldest(stream: StreamName): Promise<Millis | undefined> {
    const { journal } = this.pantau;
    let oldest: Millis | undefined;
    for (let shard = 0; shard < journal.shards; shard++) {
      const entry = await oldestReadable(journal, stream, shard, await journal.extent(stream, shard));
      if (entry !== undefined) oldest = Math.min(oldest ?? Infinity, entry.appendedAt);
    }
    return oldest;
  }
}

/** JSON cannot say infinite. */
function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
