import type { UnreadableEntry } from '#libs/journal';
import { messageOf } from '#libs/kernel';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { iso } from '../http/iso.js';
import { assertHeardOf, TakesUnregistered } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { REJECTION_COUNTS } from '../namespaces.js';
import { newestMatching } from './newest-matching.js';
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
    const unreadable: UnreadableEntry[] = [];
    const page = await newestMatching(journal, query, (fault) => unreadable.push(fault));
    const isHeardOf = counts.some(({ value }) => value.device === query.device);
    await assertHeardOf(this.pantau.registry, query.device, isHeardOf || page.items.length > 0);
    return {
      counts: counts.map(({ value }) => iso(value)),
      ...shownAs(page, ({ payload, ...rest }) => ({ ...iso(rest), ...shown(payload) })),
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
