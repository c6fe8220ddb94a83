import { shardOf } from '#libs/kernel';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { registeredDevice } from '../http/names.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { tracesOf } from './message-traces.js';
import { sentMessagesSchema } from './messages-answer.js';
import { messagesQuery } from './messages-request.js';
import { newestSent } from './newest-sent.js';
import { messageItem, refusedItem } from './sent-items.js';

/** The stage that decodes messages. */
const DECODES = 'ingest';

/** What a device sent, as it came, and what became of it. */
@ApiTags('Perangkat / Devices')
@Controller('api/v1/devices/:device/messages')
export class MessagesController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('examine')
  @ApiOperation({
    summary: 'Kiriman seperti yang datang, dan apa jadinya / Messages as they came, and what became of them',
    description:
      'Newest first, with those that were refused at the door. A page looks at a bounded part of the journal, so it may end before `limit`. What another device sends for this one is among the messages of that device.',
  })
  @ApiZodQuery(messagesQuery)
  @ApiZodAnswer(sentMessagesSchema)
  async messages(
    @Param('device') deviceId: string,
    @Query(new ZodPipe(messagesQuery)) { after, limit }: z.output<typeof messagesQuery>,
  ): Promise<Answer<typeof sentMessagesSchema>> {
    const { journal, registry } = this.pantau;
    const { id, speaksFor = [] } = await registeredDevice(registry, deviceId);
    const shard = shardOf(id, journal.shards);
    // Before it is looked for traces: what was decoded by then has left them.
    const decoded = await journal.position(DECODES, 'uplink', shard);
    const page = await newestSent(journal, shard, id, { limit, ...(after === undefined ? {} : { after }) });
    const others = new Set(speaksFor.map((other) => shardOf(other, journal.shards)));
    const messages = page.items.flatMap(({ stream, entry }) => (stream === 'uplink' ? [entry] : []));
    const traces = await tracesOf(journal, messages, [...new Set([shard, ...others])]);
    return shownAs(page, (sent) => {
      if (sent.stream === 'rejected') return refusedItem(sent.entry);
      const { offset } = sent.entry;
      return messageItem(sent.entry, traces.get(offset), offset >= decoded);
    });
  }
}
