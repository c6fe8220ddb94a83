import { mappingBody, mappingId, mappingText as shown, storeMapping } from '#libs/identity';
import { defined, PantauError } from '#libs/kernel';
import type { TopicMapping } from '#libs/telemetry';
import { Body, Controller, Delete, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { doneSchema } from '../accounts/accounts-answer.js';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { assertUnchanged, Preconditions, type Precondition } from '../exchange/conditional.js';
import type { Answer } from '../http/answer.js';
import { ApiPreconditions, ApiZodAnswer, ApiZodBody, ApiZodParam, ApiZodQuery } from '../http/openapi.js';
import { pageOf, shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { mappingSchema, mappingsSchema } from './mappings-answer.js';
import { mappingsQuery } from './mappings-request.js';

/** How topics of other makers' devices are read. */
@ApiTags('Pendaftaran / Registry')
@Controller('api/v1/mappings')
export class MappingsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('examine')
  @ApiOperation({
    summary: 'Pemetaan topik / Mappings of topics',
    description:
      'In the order in which they are tried: those of the configuration file, which are changed there, then those that were made here, by id. One that was made here of a pattern of the file, for the same codec, adds its aliases to that one.',
  })
  @ApiZodQuery(mappingsQuery)
  @ApiZodAnswer(mappingsSchema)
  async list(
    @Query(new ZodPipe(mappingsQuery)) { after, limit }: z.output<typeof mappingsQuery>,
  ): Promise<Answer<typeof mappingsSchema>> {
    const keyed = (await this.pantau.registry.mappings()).map((mapping, i) => ({
      mapping,
      key: keyOf(mapping, i),
    }));
    const behind = keyed.filter(({ key }) => after === undefined || key > after[0]);
    const page = pageOf(behind.slice(0, limit + 1), limit, ({ key }) => [key]);
    return shownAs(page, ({ mapping }) => ({
      ...defined({ id: mapping.id }),
      origin: mapping.id === undefined ? 'file' : 'stored',
      ...shown(mapping),
    }));
  }

  @Get(':mapping')
  @Allow('examine')
  @ApiOperation({
    summary: 'Satu pemetaan yang dibuat di sini / One mapping that was made here',
    description: 'Its ETag goes into `If-Match` of a change.',
  })
  @ApiZodParam('mapping', mappingId)
  @ApiZodAnswer(mappingSchema)
  async mapping(@Param('mapping', new ZodPipe(mappingId)) id: string): Promise<Answer<typeof mappingSchema>> {
    const mapping = (await this.pantau.registry.mappings()).find((one) => one.id === id);
    if (mapping === undefined)
      throw new PantauError('NOT_FOUND', `no mapping ${id} was made here.`, {
        remedy: 'GET /api/v1/mappings lists them.',
      });
    return { id, ...shown(mapping) };
  }

  @Put(':mapping')
  @Allow('register')
  @ApiOperation({
    summary: 'Membuat atau mengubah pemetaan / Make or change a mapping',
    description:
      'Messages are read by it that arrive from then on, also on connections that are open. Earlier ones are not taken again: of a topic that nobody read, the number and a sample were kept (`GET /api/v1/foreign-topics`). A device that publishes for another one is registered to speak for it (`speaksFor`).',
  })
  @ApiZodParam('mapping', mappingId)
  @ApiPreconditions()
  @ApiZodBody(mappingBody)
  @ApiZodAnswer(mappingSchema)
  async put(
    @Param('mapping', new ZodPipe(mappingId)) id: string,
    @Body(new ZodPipe(mappingBody)) body: z.output<typeof mappingBody>,
    @Note() note: AuditNote,
    @Preconditions() precondition: Precondition,
  ): Promise<Answer<typeof mappingSchema>> {
    const { registry, codecs } = this.pantau;
    const mapping = await storeMapping(registry, codecs, id, body, (before) => {
      assertUnchanged(before === undefined ? undefined : { id, ...shown(before) }, precondition);
      Object.assign(note, defined({ before: before && shown(before) }));
    });
    note.after = shown(mapping);
    return { id, ...shown(mapping) };
  }

  @Delete(':mapping')
  @Allow('register')
  @ApiOperation({
    summary: 'Menghapus pemetaan yang dibuat di sini / Remove a mapping that was made here',
    description: 'What was read by it stays.',
  })
  @ApiZodParam('mapping', mappingId)
  @ApiPreconditions()
  @ApiZodAnswer(doneSchema)
  async remove(
    @Param('mapping', new ZodPipe(mappingId)) id: string,
    @Note() note: AuditNote,
    @Preconditions() precondition: Precondition,
  ): Promise<z.output<typeof doneSchema>> {
    await this.mapping(id);
    await this.pantau.registry.setMapping(id, undefined, (before) => {
      assertUnchanged(before === undefined ? undefined : { id, ...shown(before) }, precondition);
      Object.assign(note, defined({ before: before && shown(before) }));
    });
    return { ended: id };
  }
}

const FILE_PLACES = 6;

/** Where it stands in the list: those of the file by their place, then the others by id. */
function keyOf({ id }: TopicMapping, place: number): string {
  return id === undefined ? `0/${String(place).padStart(FILE_PLACES, '0')}` : `1/${id}`;
}
