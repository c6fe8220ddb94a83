import { networkOf } from '#libs/identity';
import { PantauError, TokenBuckets } from '#libs/kernel';
import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Public } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { claimSchema } from './claim-answer.js';
import { claimBody } from './claim-request.js';

/** Claims of one network: enough for an installer's afternoon, too few to guess a key of 256 bits. */
const CLAIMS_PER_NETWORK = { perSecond: 0.2, burst: 20 };
/** Of everybody together: each makes a password hash, which costs memory and time. */
const CLAIMS = { perSecond: 5, burst: 100 };

/** Devices that register themselves with a provisioning key of their site. */
@ApiTags('Perangkat / Devices')
@Controller('api/v1/provisioning')
export class ClaimController {
  readonly #byNetwork = new TokenBuckets(CLAIMS_PER_NETWORK);
  readonly #all = new TokenBuckets(CLAIMS);

  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Post('claims')
  @HttpCode(201)
  @Public()
  @ApiOperation({
    summary: 'Perangkat mendaftarkan dirinya / A device registers itself',
    description:
      'Needs a provisioning key of the site (`pantau site key`), no token. The answer holds the password; it is shown this once.',
  })
  @ApiZodBody(claimBody)
  @ApiZodAnswer(claimSchema, 201)
  async claim(
    @Body(new ZodPipe(claimBody)) { key, id, kind, name, interval }: z.output<typeof claimBody>,
    @Req() { ip }: FastifyRequest,
    @Note() note: AuditNote,
  ): Promise<Answer<typeof claimSchema>> {
    const now = this.pantau.clock.now();
    if (!this.#byNetwork.of(networkOf(ip), now).tryTake(now) || !this.#all.of('', now).tryTake(now))
      throw new PantauError('OVERLOADED', 'too many claims from this address.', {
        remedy: 'Try again in a minute.',
        transient: true,
      });
    const device = await this.pantau.administration.claim(key, {
      id,
      kind,
      name: name ?? id,
      intervalMs: interval,
    });
    const { site, password } = device;
    Object.assign(note, { by: { kind: 'device', name: id }, on: { device: id, site } } satisfies AuditNote);
    return { id, site, username: id, clientId: id, password, topic: `pantau/v1/${site}/${id}/telemetry` };
  }
}
