import { siteSchema, type Site } from '#libs/identity';
import { Body, Controller, Get, Inject, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { Registers } from '../http/names.js';
import { ApiZodAnswer, ApiZodBody, ApiZodParam } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { siteAnswer, sitesSchema } from './sites-answer.js';
import { siteBody } from './sites-request.js';

/** Where devices stand. */
@ApiTags('Pantau')
@Controller('api/v1/sites')
export class SitesController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @ApiOperation({ summary: 'Lokasi / Sites' })
  @ApiZodAnswer(sitesSchema)
  async sites(): Promise<z.output<typeof sitesSchema>> {
    return { items: await this.pantau.registry.sites() };
  }

  @Put(':site')
  @Registers('site')
  @Allow('register')
  @ApiOperation({ summary: 'Mendaftarkan atau mengubah lokasi / Register or change a site' })
  @ApiZodParam('site', siteSchema.shape.id)
  @ApiZodBody(siteBody)
  @ApiZodAnswer(siteAnswer)
  async putSite(
    @Param('site', new ZodPipe(siteSchema.shape.id)) id: string,
    @Body(new ZodPipe(siteBody)) site: z.output<typeof siteBody>,
    @Note() note: AuditNote,
  ): Promise<Site> {
    Object.assign(note, { before: await this.pantau.registry.site(id), after: { id, ...site } });
    await this.pantau.registry.putSite({ id, ...site });
    return { id, ...site };
  }
}
