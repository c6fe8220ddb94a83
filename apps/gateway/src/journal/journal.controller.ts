import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodParam } from '../http/openapi.js';
import { asJson, payloadText } from '../http/payload.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { entrySchema } from './journal-answer.js';
import { place, shownStream, type ShownStream } from './journal-request.js';
import { readEntry } from './read-entry.js';

/** What stands in the journal. */
@ApiTags('Pantau')
@Controller('api/v1/journal')
export class JournalController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get(':stream/:shard/:offset')
  @Allow('examine')
  @ApiOperation({
    summary: 'Satu entri jurnal / One entry of the journal',
    description:
      'By stream, shard and offset, as figures, readings and rejections name them. 404 says whether it is not there yet or since when retention has taken it.',
  })
  @ApiZodParam('stream', shownStream)
  @ApiZodParam('shard', place)
  @ApiZodParam('offset', place)
  @ApiZodAnswer(entrySchema)
  async entry(
    @Param('stream', new ZodPipe(shownStream)) stream: ShownStream,
    @Param('shard', new ZodPipe(place)) shard: number,
    @Param('offset', new ZodPipe(place)) offset: number,
  ): Promise<Answer<typeof entrySchema>> {
    const { key, appendedAt, data } = await readEntry(this.pantau.journal, stream, shard, offset);
    const payload = 'payload' in data ? data.payload : undefined;
    return {
      ...{ stream, shard, offset, key, appendedAt: new Date(appendedAt).toISOString(), data: asJson(data) },
      ...(payload instanceof Uint8Array ? { payloadText: payloadText(payload) } : {}),
    };
  }
}
