import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { KeepsAnswer } from '../exchange/idempotency.js';
import { iso } from '../http/iso.js';
import type { Answer } from '../http/answer.js';
import { assertHeardOf } from '../http/names.js';
import { ApiZodAnswer, ApiZodBody, ApiZodQuery } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { accountOfDays } from './account-of-days.js';
import { accountOfDaysSchema, messageAccountSchema, checkStatusSchema } from './reconciliation-answer.js';
import { checkBody, daysOf, daysQuery, noQuery } from './reconciliation-request.js';
import { reconcile } from './reconciliation.js';

/** The account of everything that was sent, and the check that goes through all of it. */
@ApiTags('Pantau')
@Controller('api/v1/reconciliation')
export class ReconciliationController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('examine')
  @ApiOperation({
    summary: 'Neraca: apa jadinya semua kiriman / The account: what became of everything that was sent',
    description:
      'From counters that the stages keep as the entries pass, committed with their cursors; it costs the same on any journal. `takenByRetention` says how much of what was counted the journal no longer holds.',
  })
  @ApiZodAnswer(messageAccountSchema)
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- checked, and empty
  async account(@Query(new ZodPipe(noQuery)) _query: object): Promise<Answer<typeof messageAccountSchema>> {
    return reconcile(this.pantau.journal, this.pantau.account);
  }

  @Get('days')
  @Allow('examine')
  @ApiOperation({
    summary: 'Neraca menurut hari kedatangan / The account by day of arrival',
    description:
      'From counters that the stages keep by day, committed with their cursors, for 400 days; compared with the places of the journal where it still has them. Flags, and what replaced what, are counted for all days together alone.',
  })
  @ApiZodQuery(daysQuery)
  @ApiZodAnswer(accountOfDaysSchema)
  async days(
    @Query(new ZodPipe(daysQuery)) query: z.output<typeof daysQuery>,
  ): Promise<Answer<typeof accountOfDaysSchema>> {
    const { journal, account, clock } = this.pantau;
    const now = clock.now();
    return { items: await accountOfDays(journal, account, daysOf(query, now), now) };
  }

  @Post('check')
  @KeepsAnswer()
  @HttpCode(202)
  @Allow('operate')
  @ApiOperation({
    summary: 'Memulai pemeriksaan penuh jurnal dan basis data / Start a full check of journal and store',
    description:
      'Reads the bytes of every message that the journal keeps again, compares what was written of them, and compares the store with the journal by content, beside the work of Pantau. `differences` names device and day. Writes nothing. One at a time: 409 while another runs. GET tells how far it is, DELETE cancels it.',
  })
  @ApiZodBody(checkBody)
  @ApiZodAnswer(checkStatusSchema, 202)
  async start(
    @Body(new ZodPipe(checkBody.default({}))) { device }: z.output<typeof checkBody>,
  ): Promise<Answer<typeof checkStatusSchema>> {
    await assertHeardOf(this.pantau.registry, device, false);
    return iso(this.pantau.fullCheck.start(device));
  }

  @Get('check')
  @Allow('examine')
  @ApiOperation({ summary: 'Kemajuan atau hasilnya / Its progress or its result' })
  @ApiZodAnswer(checkStatusSchema)
  status(): Answer<typeof checkStatusSchema> {
    return iso(this.pantau.fullCheck.status);
  }

  @Delete('check')
  @Allow('operate')
  @ApiOperation({ summary: 'Membatalkannya / Cancel it' })
  @ApiZodAnswer(checkStatusSchema)
  async cancel(): Promise<Answer<typeof checkStatusSchema>> {
    return iso(await this.pantau.fullCheck.cancel());
  }
}
