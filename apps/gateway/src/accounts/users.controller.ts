import { userNameSchema, userSchema, viewOf } from '#libs/identity';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { assertUnchanged, Preconditions, type Precondition } from '../exchange/conditional.js';
import { ApiPreconditions, ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { doneSchema, linkSchema, userItem, usersSchema, withTimes } from './accounts-answer.js';

/** People, by those who manage them. */
@ApiTags('Akun / Accounts')
@Controller('api/v1/users')
export class UsersController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('administer')
  @ApiOperation({ summary: 'Orang yang punya akun / People with an account' })
  @ApiZodAnswer(usersSchema)
  async users(): Promise<z.output<typeof usersSchema>> {
    const { users, sessions } = this.pantau;
    const open = await sessions.open();
    const items = (await users.list()).map((user) => {
      const own = open.get(user.name) ?? [];
      const lastSeenAt = own.length === 0 ? undefined : Math.max(...own.map((one) => one.lastSeenAt));
      return withTimes({ ...user, openSessions: own.length, lastSeenAt });
    });
    return { items };
  }

  @Get(':user')
  @Allow('administer')
  @ApiOperation({
    summary: 'Satu orang / One of the people',
    description: 'Its ETag goes into `If-Match` of a change.',
  })
  @ApiZodAnswer(userItem)
  async user(@Param('user') name: string): Promise<z.output<typeof userItem>> {
    return withTimes(viewOf(await this.pantau.users.get(name)));
  }

  @Put(':user')
  @Allow('manage-users')
  @ApiOperation({
    summary: 'Menambah atau mengubah orang / Add or change somebody',
    description:
      'Who is new gets a link (`POST …/links`). A change of role, and `disabled`, end the sessions, links and tokens of that person.',
  })
  @ApiPreconditions()
  @ApiZodBody(userSchema)
  @ApiZodAnswer(userItem)
  async put(
    @Param('user', new ZodPipe(userNameSchema)) name: string,
    @Body(new ZodPipe(userSchema)) user: z.output<typeof userSchema>,
    @Note() note: AuditNote,
    @Preconditions() precondition: Precondition,
  ): Promise<z.output<typeof userItem>> {
    const after = await this.pantau.users.put(name, user, (before) => {
      const shown = before && withTimes(before);
      assertUnchanged(shown, precondition);
      note.before = shown;
    });
    return (note.after = withTimes(after));
  }

  @Post(':user/links')
  @HttpCode(201)
  @Allow('manage-users')
  @ApiOperation({
    summary: 'Tautan sekali pakai untuk menetapkan kata sandi / A one-time link to set a password',
    description: 'For who is new or has forgotten the password. Using it ends all sessions of that person.',
  })
  @ApiZodAnswer(linkSchema, 201)
  async link(@Param('user') name: string): Promise<z.output<typeof linkSchema>> {
    return { link: await this.pantau.users.link(name) };
  }

  @Delete(':user/sessions')
  @Allow('administer')
  @ApiOperation({ summary: 'Mengakhiri semua sesi seseorang / End all sessions of somebody' })
  @ApiZodAnswer(doneSchema)
  async endAll(@Param('user') name: string): Promise<z.output<typeof doneSchema>> {
    await this.pantau.users.endAll(name);
    return { ended: name };
  }
}
