import type { AuditEntry } from '#libs/streams';
import { defined, messageOf } from '#libs/kernel';
import { Controller, Get, Inject, Logger, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { count, instantText, json, listMembers, type Answer } from '../http/answer.js';
import { forwards, instant, limit } from '../http/members.js';
import { after, cursorText } from '../http/page.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';

const RESULTS = ['done', 'refused', 'failed', 'unknown'] as const;

const auditQuery = z
  .strictObject({
    limit: limit(100, 1_000),
    after: after(z.tuple([z.int().min(0)])),
    by: z.string().max(100).optional().describe('Only changes of this person, token, device or account'),
    result: z.enum(RESULTS).optional(),
    from: instant.optional().describe('Recorded at this time or later'),
    to: instant.optional().describe('Recorded before this time'),
  })
  .refine(forwards[0], forwards[1]);

const auditSchema = z.strictObject(
  listMembers(
    z.strictObject({
      at: instantText,
      by: z.strictObject({
        kind: z.enum(['user', 'token', 'command', 'device', 'nobody']),
        name: z.string(),
      }),
      from: z.string().describe('Address, or name of the machine'),
      action: z.string().describe('Route or command'),
      on: z.record(z.string(), z.string()),
      before: json.optional(),
      after: json.optional(),
      result: z.enum(RESULTS).describe('`unknown`: Pantau was ended amid it; it may have been done'),
      status: count.describe('HTTP status, or exit code of the command; 0 where the result is unknown'),
      code: z.string().optional(),
      omitted: count
        .optional()
        .describe('Refused attempts before this one that were too many to be recorded'),
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
    @Query(new ZodPipe(auditQuery)) { after: place, ...wanted }: z.output<typeof auditQuery>,
  ): Promise<Answer<typeof auditSchema>> {
    const { items, next } = await this.pantau.audit.page({ ...wanted, before: place?.[0] }, (fault) =>
      this.#log.warn(`an entry cannot be read and is passed over: ${messageOf(fault)}`),
    );
    return {
      items: items.map(shown),
      ...(next === undefined ? {} : { truncated: true, next: cursorText([next]) }),
    };
  }
}

function shown(entry: AuditEntry): Answer<typeof auditSchema>['items'][number] {
  const { by, from, action, on, before, after, result, status, code, omitted } = entry;
  const known = { by, from, action, on, result, status, ...defined({ before, after, code, omitted }) };
  return { at: new Date(entry.at).toISOString(), ...known } as Answer<typeof auditSchema>['items'][number];
}
