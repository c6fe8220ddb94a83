import { siteSchema, TOKEN_LIFETIME, TOKEN_SCOPES, type OpenSession, type Permission } from '#libs/identity';
import { DAY, defined, duration, HOUR } from '#libs/kernel';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { Session } from '../http/auth.js';
import { ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { tokenSchema } from '../tokens/tokens-answer.js';
import { doneSchema, tokensSchema, withTimes } from './accounts-answer.js';

const SCOPES = TOKEN_SCOPES as readonly [Permission, ...Permission[]];
const MAX_LIFETIME = 366 * DAY;

const accessTokenBody = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,63}$/, 'expected lower-case letters, digits and hyphens, at most 63'),
  scopes: z
    .array(z.enum(SCOPES))
    .max(SCOPES.length)
    .describe('What it allows; nothing without any. `display` stands alone'),
  sites: z
    .array(siteSchema.shape.id)
    .max(1_000)
    .optional()
    .describe(
      'Of these sites alone, with the scopes `read`, `examine`, `operate`; none of none, all without it',
    ),
  expiresIn: duration
    .default(TOKEN_LIFETIME)
    .refine((ms) => ms >= HOUR && ms <= MAX_LIFETIME, 'expected 1h to 366d')
    .describe('How long it is valid: 12h, 90d'),
});

/** Tokens with which programs use the API. */
@ApiTags('Akun / Accounts')
@Controller('api/v1/tokens')
export class AccessTokensController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('administer')
  @ApiOperation({ summary: 'Token API / Tokens of the API' })
  @ApiZodAnswer(tokensSchema)
  async tokens(): Promise<z.output<typeof tokensSchema>> {
    const tokens = await this.pantau.tokens.list();
    return {
      items: tokens.map(({ scopes, sites, ...token }) =>
        withTimes({ ...token, scopes: [...scopes], ...(sites === undefined ? {} : { sites: [...sites] }) }),
      ),
    };
  }

  @Post()
  @HttpCode(201)
  @Allow('mint')
  @ApiOperation({
    summary: 'Membuat token API / Make a token of the API',
    description:
      'By somebody who signed in; a token makes no token. It ends with a new password of who made it, and when that person is disabled or gets another role; a display link (`display` alone) only when that person is disabled, or has no role at the sign-on server any more. An older one of that name ends.',
  })
  @ApiZodBody(accessTokenBody)
  @ApiZodAnswer(tokenSchema, 201)
  async make(
    @Body(new ZodPipe(accessTokenBody)) { name, scopes, expiresIn, sites }: z.output<typeof accessTokenBody>,
    @Session() { user }: OpenSession,
    @Note() note: AuditNote,
  ): Promise<z.output<typeof tokenSchema>> {
    note.after = { name, scopes, ...defined({ sites }) };
    for (const site of sites ?? []) await this.pantau.registry.assertSite(site);
    const expiresAt = new Date(this.pantau.clock.now() + expiresIn).toISOString();
    return { token: await this.pantau.tokens.create(name, scopes, expiresIn, user, sites), expiresAt };
  }

  @Delete(':token')
  @Allow('administer')
  @ApiOperation({ summary: 'Mengakhiri token / End a token' })
  @ApiZodAnswer(doneSchema)
  async revoke(@Param('token') name: string): Promise<z.output<typeof doneSchema>> {
    await this.pantau.tokens.revoke(name);
    return { ended: name };
  }
}
