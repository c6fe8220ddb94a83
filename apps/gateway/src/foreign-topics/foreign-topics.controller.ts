import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { Registry } from '#libs/identity';
import { defined, PantauError } from '#libs/kernel';
import { TopicMappings, type SetAsideTopic } from '#libs/telemetry';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { iso } from '../http/iso.js';
import { assertHeardOf, TakesUnregistered } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { matchingPage, shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { foreignTopicsSchema, previewSchema } from './foreign-topics-answer.js';
import { foreignTopicsQuery, previewQuery } from './foreign-topics-request.js';
import { previewOf } from './preview.js';

/** More than are kept of a sender (`mqtt.limits.foreignTopicsPerClient`). */
const MOST_OF_SENDER = 10_000;

/** What can be done about a topic that nobody reads. */
const REMEDIES = {
  not_mapped:
    'Bila topik ini memuat hasil ukur: petakan (halaman Pendaftaran, PUT /api/v1/mappings/{id}, atau mappings di pantau.yaml). Bila tidak, abaikan. / ' +
    'If it holds measurements: map it (page Registry, PUT /api/v1/mappings/{id}, or mappings in pantau.yaml). If not, ignore it.',
  topic_not_allowed:
    'Perbaiki topik di perangkat, atau daftarkan bahwa ia mewakili perangkat itu (speaksFor). / ' +
    'Correct the topic in the device, or register that it speaks for that device (speaksFor).',
} as const;

/** Topics that devices publish on and that are not theirs, or that nobody mapped. */
@ApiTags('Pantau')
@Controller('api/v1/foreign-topics')
export class ForeignTopicsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('examine')
  @ApiOperation({
    summary: 'Topik yang tidak dibaca siapa pun / Topics that nobody reads',
    description:
      'Messages on them are acknowledged and delivered to nobody. Of each topic the number, the first and last time and the beginning of one message are kept; topics beyond `mqtt.limits.foreignTopicsPerClient` are counted together, without `topic`. By sender, in an order that stays.',
  })
  @ApiZodQuery(foreignTopicsQuery)
  @ApiZodAnswer(foreignTopicsSchema)
  @TakesUnregistered()
  async list(
    @Query(new ZodPipe(foreignTopicsQuery)) query: z.output<typeof foreignTopicsQuery>,
  ): Promise<Answer<typeof foreignTopicsSchema>> {
    const { device, reason, after, limit } = query;
    const { broker, registry } = this.pantau;
    const page = await matchingPage(
      (behind, most) => broker.setAsideTopics({ sender: device, after: behind, limit: most }),
      (batch) => batch.filter(({ value }) => (reason ?? value.reason) === value.reason),
      { after: after?.[0], limit },
    );
    const isHeardOf =
      page.items.length > 0 || (await broker.setAsideTopics({ sender: device, limit: 1 })).length > 0;
    await assertHeardOf(registry, device, isHeardOf);
    const mappings = new TopicMappings(await registry.mappings());
    const readBy = await Promise.all(page.items.map(({ value }) => readerOf(value, mappings, registry)));
    return shownAs(page, ({ value: { sample, sender, ...rest } }, i) => ({
      device: sender,
      ...iso(rest),
      sampleText: Buffer.from(sample).toString('utf8'),
      sampleBase64: Buffer.from(sample).toString('base64'),
      remedy: REMEDIES[rest.reason],
      ...defined({ readBy: readBy[i] }),
    }));
  }

  @Get('preview')
  @Allow('examine')
  @ApiOperation({
    summary: 'Apa yang akan terbaca dari topik itu / What would be read of such a topic',
    description:
      'A dry run over the sample that is kept of it, with one codec or with all: what each would read, what it would refuse and what it would not read. Nothing is stored; values would still be converted, judged and checked.',
  })
  @ApiZodQuery(previewQuery)
  @ApiZodAnswer(previewSchema)
  async preview(
    @Query(new ZodPipe(previewQuery)) query: z.output<typeof previewQuery>,
  ): Promise<Answer<typeof previewSchema>> {
    const { sender, topic } = query;
    const { broker, codecs } = this.pantau;
    const found = (await broker.setAsideTopics({ sender, limit: MOST_OF_SENDER })).find(
      ({ value }) => value.sender === sender && value.topic === topic,
    );
    if (found === undefined)
      throw new PantauError('NOT_FOUND', `nothing is kept of a topic ${topic.slice(0, 200)} of ${sender}.`, {
        remedy: 'GET /api/v1/foreign-topics lists them.',
      });
    return previewOf(found.value, query, codecs);
  }
}

/** The pattern of the mapping that reads a topic now as its sender may write it; undefined while nobody reads it. */
async function readerOf(
  { topic, sender, reason }: SetAsideTopic,
  mappings: TopicMappings,
  registry: Registry,
): Promise<string | undefined> {
  const matched = topic === undefined || reason !== 'not_mapped' ? undefined : mappings.match(topic);
  if (matched === undefined) return undefined;
  const { device: id = sender, mapping } = matched;
  const [publisher, device] = await registry.devicesNamed([sender, id]);
  const isHeard = publisher === undefined || id === sender || publisher.speaksFor?.includes(id) === true;
  return device !== undefined && isHeard ? mapping.pattern : undefined;
}
