import type { UnreadableEntry } from '#libs/journal';
import { messageOf } from '#libs/kernel';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { cut } from '../http/cut.js';
import { iso } from '../http/iso.js';
import { assertHeardOf, TakesUnregistered } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { REJECTION_COUNTS } from '../namespaces.js';
import { newestMatching, type ListedRejection } from './newest-matching.js';
import { rejectedSchema } from './rejected-answer.js';
import { rejectedQuery } from './rejected-request.js';

/** What was refused, at the door and after it. */
@ApiTags('Pantau')
@Controller('api/v1/rejected')
export class RejectedController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('examine')
  @ApiOperation({
    summary: 'Yang ditolak, terbaru dahulu, dengan jumlahnya / What was refused, newest first, with counts',
  })
  @ApiZodQuery(rejectedQuery)
  @ApiZodAnswer(rejectedSchema)
  @TakesUnregistered()
  async rejected(
    @Query(new ZodPipe(rejectedQuery)) query: z.output<typeof rejectedQuery>,
  ): Promise<Answer<typeof rejectedSchema>> {
    const { journal, state } = this.pantau;
    const counts = await state.list(REJECTION_COUNTS);
    const wanted = { ...query, limit: query.limit + 1 };
    const found: ListedRejection[] = [];
    const unreadable: UnreadableEntry[] = [];
    for (let shard = 0; shard < journal.shards; shard++)
      found.push(...(await newestMatching(journal, shard, wanted, (fault) => unreadable.push(fault))));
    await assertHeardOf(this.pantau.registry, query.device, found.length > 0);
    found.sort((a, b) => b.receivedAt - a.receivedAt || b.offset - a.offset);
    const items = found.slice(0, query.limit + 1);
    return {
      counts: counts.map(({ value }) => iso(value)),
      ...cut(
        items.map(({ payload, ...rest }) => ({ ...iso(rest), ...shown(payload) })),
        query.limit,
      ),
      // Those that were met on the way.
      ...(unreadable.length === 0 ? {} : { unreadable: unreadable.slice(0, query.limit).map(placeOf) }),
    };
  }
}

const PAYLOAD_SHOWN_BYTES = 1_000;

function placeOf({ shard, offset, cause }: UnreadableEntry) {
  return { shard, offset, detail: messageOf(cause) };
}

/** The original bytes: as text where they are text, and always in base64, so that nothing is lost in showing them. */
function shown(payload: Uint8Array | undefined): { payloadText?: string; payloadBase64?: string } {
  if (payload === undefined) return {};
  const bytes = Buffer.from(payload);
  return {
    payloadText: bytes.subarray(0, PAYLOAD_SHOWN_BYTES).toString('utf8'),
    payloadBase64: bytes.toString('base64'),
  };
}
