import type { UnreadableEntry } from '#libs/journal';
import { defined, messageOf } from '#libs/kernel';
import type { StreamName } from '#libs/streams';
import { REJECTION_REASONS } from '#libs/telemetry';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { iso } from '../http/iso.js';
import { assertHeardOf, TakesUnregistered } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodParam, ApiZodQuery } from '../http/openapi.js';
import { shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { REJECTION_COUNTS } from '../namespaces.js';
import { rejectionKey, type RejectionCount } from '../views/views.js';
import { newestMatching, type ListedRejection } from './newest-matching.js';
import { shownPayload } from '../http/payload.js';
import { place } from '../journal/journal-request.js';
import { readEntry } from '../journal/read-entry.js';
import { rejectedSchema, rejectionSchema } from './rejected-answer.js';
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
    const { journal } = this.pantau;
    const counts = query.after === undefined ? await this.#countsOf(query) : [];
    const unreadable: UnreadableEntry[] = [];
    const page = await newestMatching(journal, query, (fault) => unreadable.push(fault));
    const isHeardOf = counts.some(({ device }) => device === query.device);
    const isBehind = query.after !== undefined;
    await assertHeardOf(this.pantau.registry, query.device, isHeardOf || isBehind || page.items.length > 0);
    return {
      counts: counts.map((one) => iso(one)),
      ...shownAs(page, (item) => itemOf(item)),
      // Those that were met on the way.
      ...(unreadable.length === 0 ? {} : { unreadable: unreadable.slice(0, query.limit).map(placeOf) }),
    };
  }

  /** Of a device by its keys: all the others are not looked at. */
  async #countsOf({ reason, device }: z.output<typeof rejectedQuery>): Promise<RejectionCount[]> {
    const { state } = this.pantau;
    if (device === undefined) {
      const prefix = reason === undefined ? {} : { prefix: rejectionKey(reason, undefined) };
      return (await state.list(REJECTION_COUNTS, prefix)).map(({ value }) => value);
    }
    const reasons = reason === undefined ? REJECTION_REASONS : [reason];
    const keys = reasons.map((one) => rejectionKey(one, device));
    return (await state.getMany(REJECTION_COUNTS, keys)).filter((one) => one !== undefined);
  }

  @Get(':shard/:offset')
  @Allow('examine')
  @ApiOperation({ summary: 'Satu penolakan / One rejection' })
  @ApiZodParam('shard', place)
  @ApiZodParam('offset', place)
  @ApiZodAnswer(rejectionSchema)
  async rejection(
    @Param('shard', new ZodPipe(place)) shard: number,
    @Param('offset', new ZodPipe(place)) offset: number,
  ): Promise<Answer<typeof rejectionSchema>> {
    const { data } = await readEntry(this.pantau.journal, 'rejected', shard, offset);
    return itemOf({ ...data, shard, offset });
  }
}

function placeOf({ shard, offset, cause }: UnreadableEntry) {
  return { shard, offset, detail: messageOf(cause) };
}

function itemOf({ payload, source, ...rest }: ListedRejection): Answer<typeof rejectionSchema> {
  // Whoever refused it read it from a stream of the catalogue.
  const from = source && { ...source, stream: source.stream as StreamName };
  return { ...iso(rest), ...defined({ source: from }), ...shownPayload(payload) };
}
