import type { OpenIdAttempt, OpenIdSignIn } from '#libs/identity';
import { PantauError, parseJson, REQUEST_BOUNDS } from '#libs/kernel';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { openIdCookie, sendOpenIdCookie, type PublicAddress } from '../http/cookie.js';
import { Public } from '../http/permission.js';
import { beginSession } from './begin-session.js';

const CALLBACK = '/api/v1/session/open-id/callback';
const attemptSchema = z.strictObject({ state: z.string(), nonce: z.string(), verifier: z.string() });

/** Single sign-on. Both routes are for browsers, which are sent from place to place. */
@ApiTags('Akun / Accounts')
@Controller('api/v1/session/open-id')
export class OpenIdController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Public()
  @ApiOperation({
    summary: 'Masuk lewat SSO / Sign in at the sign-on server',
    description: 'Sends the browser there. 404 where none is configured.',
  })
  @ApiResponse({ status: 302, description: 'Ke server SSO / To the sign-on server' })
  async begin(@Res() reply: FastifyReply): Promise<void> {
    const { openId, address } = this.#configured();
    const { url, attempt } = await openId.begin(`${address.origin}${address.path}${CALLBACK}`);
    sendOpenIdCookie(reply, Buffer.from(JSON.stringify(attempt)).toString('base64url'), address);
    await reply.header('cache-control', 'no-store').redirect(url, 302);
  }

  @Get('callback')
  @Public()
  @ApiOperation({
    summary: 'Kembali dari SSO / Back from the sign-on server',
    description: 'Begins a session.',
  })
  @ApiResponse({ status: 302, description: 'Ke halaman Pantau / To the page of Pantau' })
  async finish(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { openId, address } = this.#configured();
    const attempt = attemptOf(openIdCookie(request));
    sendOpenIdCookie(reply, undefined, address);
    const query = request.url.split('?')[1] ?? '';
    const entry = { from: request.ip, action: `GET ${CALLBACK}`, on: {} };
    const user = await openId
      .finish(`${address.origin}${address.path}${CALLBACK}?${query}`, attempt)
      .catch(async (error: unknown) => {
        await this.pantau.audit.record({
          ...entry,
          by: { kind: 'nobody', name: '' },
          result: 'refused',
          status: 401,
        });
        throw error;
      });
    await beginSession(this.pantau, user, request, reply);
    await this.pantau.audit.record({
      ...entry,
      by: { kind: 'user', name: user.name },
      result: 'done',
      status: 302,
    });
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

/** What this browser began. @throws PantauError `SIGN_IN_REFUSED`: whoever began is somebody else, or it was long ago */
function attemptOf(cookie: string | undefined): OpenIdAttempt {
  const refused = new PantauError(
    'SIGN_IN_REFUSED',
    'this browser did not begin to sign in, or too long ago.',
    {
      remedy: 'Begin again.',
    },
  );
  try {
    const attempt = parseJson(Buffer.from(cookie ?? '', 'base64url'), REQUEST_BOUNDS, 'cookie');
    return attemptSchema.parse(attempt);
  } catch {
    throw refused;
  }
}
