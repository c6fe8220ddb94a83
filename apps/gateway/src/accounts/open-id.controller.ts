import { SignOnAttempts, type OpenIdSignIn, type OpenSession } from '#libs/identity';
import { defined, PantauError } from '#libs/kernel';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Audited, Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { openIdCookie, sendOpenIdCookie, type PublicAddress } from '../http/cookie.js';
import { Session } from '../http/auth.js';
import { Public } from '../http/permission.js';
import { beginSession } from './begin-session.js';

const CALLBACK = '/api/v1/session/open-id/callback';

/** Single sign-on. Both routes are for browsers, which are sent from place to place. */
@ApiTags('Akun / Accounts')
@Controller('api/v1/session/open-id')
export class OpenIdController {
  readonly #attempts: SignOnAttempts;

  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {
    this.#attempts = new SignOnAttempts(pantau.state, pantau.clock);
  }

  @Get()
  @Public()
  @ApiOperation({
    summary: 'Masuk lewat SSO / Sign in at the sign-on server',
    description: 'Sends the browser there. 404 where none is configured.',
  })
  @ApiResponse({ status: 302, description: 'Ke server SSO / To the sign-on server' })
  async begin(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Session() session: OpenSession | undefined,
  ): Promise<void> {
    const { openId, address } = this.#configured();
    const { url, attempt } = await openId.begin(`${address.origin}${address.path}${CALLBACK}`);
    // The cookie of a session does not come back from another site; what it is of ends when somebody has signed in.
    const ends = session && { user: session.user.name, id: session.id };
    const sealed = await this.#attempts.seal({ ...attempt, ...defined({ ends }) });
    sendOpenIdCookie(request, reply, sealed, address);
    await reply.header('cache-control', 'no-store').redirect(url, 302);
  }

  @Get('callback')
  @Public()
  @Audited()
  @ApiOperation({
    summary: 'Kembali dari SSO / Back from the sign-on server',
    description: 'Begins a session; the one in which it was begun ends.',
  })
  @ApiResponse({ status: 302, description: 'Ke halaman Pantau / To the page of Pantau' })
  async finish(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Note() note: AuditNote,
  ): Promise<void> {
    const { openId, address } = this.#configured();
    const { ends, ...attempt } = await this.#attempts.open(openIdCookie(request, address));
    sendOpenIdCookie(request, reply, undefined, address);
    const query = request.url.split('?')[1] ?? '';
    const user = await openId.finish(`${address.origin}${address.path}${CALLBACK}?${query}`, attempt);
    note.by = { kind: 'user', name: user.name };
    if (ends !== undefined) await this.pantau.sessions.end(ends.user, ends.id).catch(isOver);
    await beginSession(this.pantau, user, request, reply, true);
    await reply.redirect(`${address.path}/`, 302);
  }

  #configured(): { readonly openId: OpenIdSignIn; readonly address: PublicAddress } {
    const { openId, publicUrl: address } = this.pantau;
    if (openId === undefined || address === undefined)
      throw new PantauError('NOT_FOUND', 'no single sign-on is configured.', {
        remedy: 'Set accounts.openIdConnect and http.publicUrl.',
      });
    return { openId, address };
  }
}

/** It may have ended meanwhile. */
function isOver(error: unknown): void {
  if (!(error instanceof PantauError && error.code === 'NOT_FOUND')) throw error;
}
