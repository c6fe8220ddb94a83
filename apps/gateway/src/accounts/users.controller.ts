import { userNameSchema, userSchema } from '#libs/identity';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
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
    return { items: (await this.pantau.users.list()).map((user) => withTimes(user)) };
  }

  @Put(':user')
  @Allow('administer')
  @ApiOperation({
    summary: 'Menambah atau mengubah orang / Add or change somebody',
    description:
      'Who is new gets a link (`POST …/links`). A change of role, and `disabled`, end the sessions, links and tokens of that person.',
  })
  @ApiZodBody(userSchema)
  @ApiZodAnswer(userItem)
  async put(
    @Param('user', new ZodPipe(userNameSchema)) name: string,
    @Body(new ZodPipe(userSchema)) user: z.output<typeof userSchema>,
    @Note() note: AuditNote,
  ): Promise<z.output<typeof userItem>> {
    const before = (await this.pantau.users.list()).find((one) => one.name === name);
    const after = await this.pantau.users.put(name, user);
    note.before = before && withTimes(before);
    note.after = withTimes(after);
    return withTimes(after);
  }

  @Post(':user/links')
  @HttpCode(201)
  @Allow('administer')
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
