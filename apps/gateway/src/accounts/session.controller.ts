import type { OpenSession } from '#libs/identity';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { Session } from '../http/auth.js';
import { browserCookie, sendSessionCookie, sessionCookie } from '../http/cookie.js';
import { ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Allow, Public } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import {
  doneSchema,
  linkUsedSchema,
  sessionSchema,
  sessionsSchema,
  shownSession,
  withTimes,
} from './accounts-answer.js';
import { beginSession } from './begin-session.js';
import { linkBody, passwordBody, signInBody } from './accounts-request.js';

/** Signing in and out, and the own account. */
@ApiTags('Akun / Accounts')
@Controller('api/v1')
export class SessionController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Post('session')
  @HttpCode(200)
  @Public()
  @ApiOperation({
    summary: 'Masuk / Sign in',
    description:
      'Sets the cookie of a new session, whatever the browser sent before. Every change with it needs the `csrfToken` of the answer as `X-CSRF-Token`.',
  })
  @ApiZodBody(signInBody)
  @ApiZodAnswer(sessionSchema)
  async signIn(
    @Body(new ZodPipe(signInBody)) { name, password, code }: z.output<typeof signInBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Note() note: AuditNote,
  ): Promise<z.output<typeof sessionSchema>> {
    const user = await this.pantau.signIn.verify(name, password, request.ip, code, this.#browserOf(request));
    note.by = { kind: 'user', name: user.name };
    await this.#endSent(request);
    return shownSession(await beginSession(this.pantau, user, request, reply));
  }

  @Get('session')
  @Allow('self')
  @ApiOperation({ summary: 'Siapa yang masuk / Who is signed in' })
  @ApiZodAnswer(sessionSchema)
  session(@Session() session: OpenSession): z.output<typeof sessionSchema> {
    return shownSession(session);
  }

  @Delete('session')
  @Allow('self')
  @ApiOperation({ summary: 'Keluar / Sign out' })
  @ApiZodAnswer(doneSchema)
  async signOut(
    @Session() { id, user }: OpenSession,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof doneSchema>> {
    await this.pantau.sessions.end(user.name, id);
    sendSessionCookie(request, reply, undefined, this.pantau.publicUrl);
    return { ended: id };
  }

  @Put('session/password')
  @Allow('self')
  @ApiOperation({
    summary: 'Mengganti kata sandi sendiri / Change the own password',
    description: 'Ends all other sessions; this one goes on under a new cookie.',
  })
  @ApiZodBody(passwordBody)
  @ApiZodAnswer(sessionSchema)
  async password(
    @Body(new ZodPipe(passwordBody)) { current, password }: z.output<typeof passwordBody>,
    @Session() { user }: OpenSession,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof sessionSchema>> {
    await this.pantau.signIn.verifyPassword(user.name, current, request.ip, this.#browserOf(request));
    const changed = await this.pantau.users.setPassword(user.name, password);
    return shownSession(await beginSession(this.pantau, changed, request, reply));
  }

  @Get('sessions')
  @Allow('self')
  @ApiOperation({ summary: 'Sesi sendiri / The own sessions' })
  @ApiZodAnswer(sessionsSchema)
  async sessions(@Session() { id, user }: OpenSession): Promise<z.output<typeof sessionsSchema>> {
    const sessions = await this.pantau.sessions.list(user);
    return { items: sessions.map((session) => withTimes({ ...session, isThis: session.id === id })) };
  }

  @Delete('sessions/:session')
  @Allow('self')
  @ApiOperation({ summary: 'Mengakhiri satu sesi sendiri / End one of the own sessions' })
  @ApiZodAnswer(doneSchema)
  async end(
    @Param('session') id: string,
    @Session() { user }: OpenSession,
  ): Promise<z.output<typeof doneSchema>> {
    await this.pantau.sessions.end(user.name, id);
    return { ended: id };
  }

  @Post('links')
  @HttpCode(200)
  @Public()
  @ApiOperation({
    summary:
      'Memakai tautan sekali pakai untuk menetapkan kata sandi / Use a one-time link to set a password',
    description: 'Of a person whom an administrator added or reset, and of the first administrator.',
  })
  @ApiZodBody(linkBody)
  @ApiZodAnswer(linkUsedSchema)
  async useLink(
    @Body(new ZodPipe(linkBody)) { link, name, password }: z.output<typeof linkBody>,
    @Note() note: AuditNote,
  ): Promise<z.output<typeof linkUsedSchema>> {
    const user = await this.pantau.users.useLink(link, password, name);
    note.by = { kind: 'user', name: user };
    return { user };
  }

  #browserOf(request: FastifyRequest): string | undefined {
    return browserCookie(request, this.pantau.publicUrl);
  }

  /** A session that the browser still had ends: nobody goes on in it. */
  async #endSent(request: FastifyRequest): Promise<void> {
    const sent = await this.pantau.sessions.verify(sessionCookie(request, this.pantau.publicUrl) ?? '');
    if (sent !== undefined) await this.pantau.sessions.end(sent.user.name, sent.id);
  }
}
