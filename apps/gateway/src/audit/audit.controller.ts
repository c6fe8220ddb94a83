import type { AuditEntry } from '#libs/streams';
import { messageOf } from '#libs/kernel';
import { Controller, Get, Inject, Logger, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { count, instantText, json, listMembers, type Answer } from '../http/answer.js';
import { limit } from '../http/members.js';
import { after, cursorText } from '../http/page.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';

const auditQuery = z.strictObject({
  limit: limit(100, 1_000),
  after: after(z.tuple([z.int().min(0)])),
  by: z.string().max(100).optional().describe('Only changes of this person, token or account'),
});

const auditSchema = z.strictObject(
  listMembers(
    z.strictObject({
      at: instantText,
      by: z.strictObject({ kind: z.enum(['user', 'token', 'command', 'nobody']), name: z.string() }),
      from: z.string().describe('Address, or name of the machine'),
      action: z.string().describe('Route or command'),
      on: z.record(z.string(), z.string()),
      before: json.optional(),
      after: json.optional(),
      result: z.enum(['done', 'refused', 'failed']),
      status: count.describe('HTTP status, or exit code of the command'),
      code: z.string().optional(),
      omitted: count.optional().describe('Attempts of nobody known before this one that were not recorded'),
    }),
  ),
);

/** Who changed what. */
@ApiTags('Akun / Accounts')
@Controller('api/v1/audit')
export class AuditController {
  readonly #log = new Logger('audit');

  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('administer')
  @ApiOperation({
    summary: 'Catatan audit, terbaru dahulu / The audit log, newest first',
    description:
      'Every change through the API and the command line, and every attempt: who, what, on what, from where, with what result. A page may hold fewer than `limit` items and still have a `next`. New entries never move a page.',
  })
  @ApiZodQuery(auditQuery)
  @ApiZodAnswer(auditSchema)
  async entries(
    @Query(new ZodPipe(auditQuery)) { limit: most, after: place, by }: z.output<typeof auditQuery>,
  ): Promise<Answer<typeof auditSchema>> {
    const { items, next } = await this.pantau.audit.page({ limit: most, before: place?.[0], by }, (fault) =>
      this.#log.warn(`an entry cannot be read and is passed over: ${messageOf(fault)}`),
    );
    return {
      items: items.map(shown),
      ...(next === undefined ? {} : { truncated: true, next: cursorText([next]) }),
    };
  }
}

function shown({ at, ...entry }: AuditEntry): Answer<typeof auditSchema>['items'][number] {
  return { at: new Date(at).toISOString(), ...entry } as Answer<typeof auditSchema>['items'][number];
}
