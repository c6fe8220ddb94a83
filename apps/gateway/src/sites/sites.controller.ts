import { siteSchema, type Site } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import { Body, Controller, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { assertUnchanged, Preconditions, type Precondition } from '../exchange/conditional.js';
import { Registers } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodBody, ApiPreconditions, ApiZodParam, ApiZodQuery } from '../http/openapi.js';
import { matchingPage, shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { siteAnswer, sitesSchema } from './sites-answer.js';
import { siteBody, sitesQuery } from './sites-request.js';

/** Where devices stand. */
@ApiTags('Pantau')
@Controller('api/v1/sites')
export class SitesController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @ApiOperation({ summary: 'Lokasi / Sites' })
  @ApiZodQuery(sitesQuery)
  @ApiZodAnswer(sitesSchema)
  async sites(
    @Query(new ZodPipe(sitesQuery)) { district, after, limit }: z.output<typeof sitesQuery>,
  ): Promise<Answer<typeof sitesSchema>> {
    const page = await matchingPage(
      async (behind, most) =>
        (await this.pantau.registry.sitesAfter(behind, most)).map((site) => ({ key: site.id, site })),
      (batch) => batch.filter(({ site }) => (district ?? site.district) === site.district),
      { after: after?.[0], limit },
    );
    return shownAs(page, ({ site }) => site);
  }

  @Get(':site')
  @Allow('read')
  @ApiOperation({
    summary: 'Satu lokasi / One site',
    description: 'Its ETag goes into `If-Match` of a change.',
  })
  @ApiZodAnswer(siteAnswer)
  async site(@Param('site') id: string): Promise<Site> {
    const site = await this.pantau.registry.site(id);
    if (site === undefined) throw new PantauError('SITE_UNKNOWN', `no site ${id} is registered.`);
    return site;
  }

  @Put(':site')
  @Registers('site')
  @Allow('register')
  @ApiOperation({ summary: 'Mendaftarkan atau mengubah lokasi / Register or change a site' })
  @ApiZodParam('site', siteSchema.shape.id)
  @ApiPreconditions()
  @ApiZodBody(siteBody)
  @ApiZodAnswer(siteAnswer)
  async putSite(
    @Param('site', new ZodPipe(siteSchema.shape.id)) id: string,
    @Body(new ZodPipe(siteBody)) site: z.output<typeof siteBody>,
    @Note() note: AuditNote,
    @Preconditions() precondition: Precondition,
  ): Promise<Site> {
    await this.pantau.registry.putSite({ id, ...site }, (before) => {
      assertUnchanged(before, precondition);
      Object.assign(note, { before, after: { id, ...site } });
    });
    return { id, ...site };
  }
}
