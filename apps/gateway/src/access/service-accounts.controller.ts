import { accountSchema, type ServiceAccount } from '#libs/identity';
import { defined, PantauError } from '#libs/kernel';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { doneSchema } from '../accounts/accounts-answer.js';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { assertUnchanged, Preconditions, type Precondition } from '../exchange/conditional.js';
import type { Answer } from '../http/answer.js';
import { iso } from '../http/iso.js';
import { ApiPreconditions, ApiZodAnswer, ApiZodBody, ApiZodParam, ApiZodQuery } from '../http/openapi.js';
import { pageOf } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import {
  deviceAccessSchema,
  issuedPasswordSchema,
  serviceAccountSchema,
  serviceAccountsSchema,
} from './access-answer.js';
import { setService } from './set-service.js';
import { accessBody, serviceAccountBody, serviceAccountsQuery } from './access-request.js';

/** What is no device and publishes or reads by explicit topic filters: an integration, a gateway of another maker, a bridge. */
@ApiTags('Pendaftaran / Registry')
@Controller('api/v1/service-accounts')
export class ServiceAccountsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('register')
  @ApiOperation({ summary: 'Akun layanan / Service accounts' })
  @ApiZodQuery(serviceAccountsQuery)
  @ApiZodAnswer(serviceAccountsSchema)
  async list(
    @Query(new ZodPipe(serviceAccountsQuery)) { after, limit }: z.output<typeof serviceAccountsQuery>,
  ): Promise<Answer<typeof serviceAccountsSchema>> {
    const { accounts, administration } = this.pantau;
    const page = pageOf(await accounts.after(after?.[0], limit + 1), limit, ({ id }) => [id]);
    const items = [];
    for (const account of page.items) {
      const { service, passwordAt } = await administration.access(account.id);
      items.push({ ...account, service, ...iso(defined({ passwordAt })) });
    }
    return { ...page, items };
  }

  @Get(':account')
  @Allow('register')
  @ApiOperation({
    summary: 'Satu akun layanan / One service account',
    description: 'Its ETag goes into `If-Match` of a change.',
  })
  @ApiZodAnswer(serviceAccountSchema)
  async account(@Param('account') id: string): Promise<ServiceAccount> {
    const account = await this.pantau.accounts.get(id);
    if (account === undefined) throw new PantauError('ACCOUNT_UNKNOWN', `no service account ${id}.`);
    return account;
  }

  @Put(':account')
  @Allow('register')
  @ApiOperation({
    summary: 'Membuat atau mengubah akun layanan / Make or change a service account',
    description:
      'A new one gets its password from `POST …/password`. The connections of one that is changed end, and come back with what it may now.',
  })
  @ApiZodParam('account', accountSchema.shape.id)
  @ApiPreconditions()
  @ApiZodBody(serviceAccountBody)
  @ApiZodAnswer(serviceAccountSchema)
  async put(
    @Param('account', new ZodPipe(accountSchema.shape.id)) id: string,
    @Body(new ZodPipe(serviceAccountBody)) body: z.output<typeof serviceAccountBody>,
    @Note() note: AuditNote,
    @Preconditions() precondition: Precondition,
  ): Promise<ServiceAccount> {
    const account = accountSchema.parse({ id, ...body });
    await this.pantau.administration.saveAccount(account, (before) => {
      assertUnchanged(before, precondition);
      Object.assign(note, { before, after: account });
    });
    return account;
  }

  @Post(':account/password')
  @HttpCode(201)
  @Allow('register')
  @ApiOperation({
    summary: 'Kata sandi baru bagi akun layanan / A new password for a service account',
    description: 'The one before it ends at once, as do the connections that rest on it.',
  })
  @ApiZodAnswer(issuedPasswordSchema, 201)
  async renew(@Param('account') id: string): Promise<z.output<typeof issuedPasswordSchema>> {
    await this.account(id);
    return { password: await this.pantau.administration.rotate(id) };
  }

  @Get(':account/access')
  @Allow('register')
  @ApiOperation({
    summary: 'Akses akun layanan / Access of a service account',
    description: 'Its ETag goes into `If-Match` of a change.',
  })
  @ApiZodAnswer(deviceAccessSchema)
  async access(@Param('account') id: string): Promise<Answer<typeof deviceAccessSchema>> {
    await this.account(id);
    return iso(await this.pantau.administration.access(id));
  }

  @Put(':account/access')
  @Allow('register')
  @ApiOperation({
    summary: 'Menutup atau membuka akses akun layanan / Shut a service account out, or let it in again',
    description:
      '`revoked` ends its password and its connections at once. `open` takes that back; a new password comes from `POST …/password`.',
  })
  @ApiPreconditions()
  @ApiZodBody(accessBody)
  @ApiZodAnswer(deviceAccessSchema)
  async setAccess(
    @Param('account') id: string,
    @Body(new ZodPipe(accessBody)) { service }: z.output<typeof accessBody>,
    @Note() note: AuditNote,
    @Preconditions() precondition: Precondition,
  ): Promise<Answer<typeof deviceAccessSchema>> {
    await this.account(id);
    return iso(await setService(this.pantau.administration, id, service, note, precondition));
  }

  @Delete(':account')
  @Allow('register')
  @ApiOperation({
    summary: 'Menghapus akun layanan / Remove a service account',
    description: 'Its password and its connections end at once. What came through it stays.',
  })
  @ApiPreconditions()
  @ApiZodAnswer(doneSchema)
  async remove(
    @Param('account') id: string,
    @Note() note: AuditNote,
    @Preconditions() precondition: Precondition,
  ): Promise<z.output<typeof doneSchema>> {
    await this.pantau.administration.removeAccount(id, (before) => {
      assertUnchanged(before, precondition);
      note.before = before;
    });
    return { ended: id };
  }
}
