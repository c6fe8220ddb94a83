import type { OpenSession } from '#libs/identity';
import { Body, Controller, Delete, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { assertUnchanged, Preconditions, type Precondition } from '../exchange/conditional.js';
import { Session } from '../http/auth.js';
import { browserCookie } from '../http/cookie.js';
import { ApiPreconditions, ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { doneSchema, recoverySchema, secretSchema, shownSession, withTimes } from './accounts-answer.js';
import { codeBody, confirmationBody } from './accounts-request.js';
import { beginSession } from './begin-session.js';

/** The second factor: codes of an app. */
@ApiTags('Akun / Accounts')
@Controller('api/v1')
export class SecondFactorController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Post('session/second-factor')
  @HttpCode(201)
  @Allow('self')
  @ApiOperation({
    summary: 'Menyiapkan faktor kedua / Prepare a second factor',
    description:
      'Asks for the password again, and for a code where there is a second factor already. What the answer holds goes into an app; it counts once `PUT` has seen a code of it.',
  })
  @ApiZodBody(confirmationBody)
  @ApiZodAnswer(secretSchema, 201)
  async begin(
    @Body(new ZodPipe(confirmationBody)) { password, code }: z.output<typeof confirmationBody>,
    @Session() { user }: OpenSession,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof secretSchema>> {
    const browser = browserCookie(request, this.pantau.publicUrl);
    await this.pantau.signIn.verify(user.name, password, request.ip, code, browser);
    void reply.header('cache-control', 'no-store');
    return this.pantau.secondFactor.begin(user.name);
  }

  @Put('session/second-factor')
  @Allow('self')
  @ApiOperation({
    summary: 'Memakai faktor kedua sejak sekarang / Use the second factor from now on',
    description:
      'The answer holds recovery codes, shown this once. Ends all other sessions; this one goes on under a new cookie.',
  })
  @ApiZodBody(codeBody)
  @ApiZodAnswer(recoverySchema)
  async confirm(
    @Body(new ZodPipe(codeBody)) { code }: z.output<typeof codeBody>,
    @Session() { user }: OpenSession,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof recoverySchema>> {
    const recoveryCodes = [...(await this.pantau.secondFactor.confirm(user.name, code))];
    const session = await beginSession(this.pantau, await this.pantau.users.get(user.name), request, reply);
    return { recoveryCodes, session: shownSession(session) };
  }

  @Delete('users/:user/second-factor')
  @Allow('manage-users')
  @ApiOperation({
    summary: 'Mencabut faktor kedua seseorang / Take the second factor away from somebody',
    description: 'For who has lost both the app and the recovery codes. Ends the sessions of that person.',
  })
  @ApiPreconditions()
  @ApiZodAnswer(doneSchema)
  async remove(
    @Param('user') name: string,
    @Preconditions() precondition: Precondition,
  ): Promise<z.output<typeof doneSchema>> {
    await this.pantau.secondFactor.remove(name, (before) => assertUnchanged(withTimes(before), precondition));
    return { ended: name };
  }
}
