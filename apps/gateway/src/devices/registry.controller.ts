import { ruleView } from '#libs/alerting';
import { deviceSchema, siteSchema } from '#libs/identity';
import { DAY, defined, HOUR, PantauError, SECOND } from '#libs/kernel';
import { duration } from '#libs/platform';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../api.controller.js';
import { Roles, ZodPipe } from '../http/http.js';
import { Registers } from '../http/names.js';
import { ApiZodBody, instant } from '../http/queries.js';

export const siteBody = siteSchema.omit({ id: true });
export const deviceBody = deviceSchema.omit({ id: true, intervalMs: true, maxAgeMs: true }).extend({
  interval: duration.describe('How often it promises to report: 30s, 5m, 1h'),
  maxAge: duration
    .optional()
    .describe(
      'How long before their arrival its readings may have been measured, where that differs from ingest.maxAge',
    ),
  intervalFrom: instant
    .optional()
    .describe(
      'Since when the interval was true already: figures of the past are computed with it. Now by default',
    ),
});
const MAX_TOKEN_LIFE = 366 * DAY;
export const tokenBody = z.strictObject({
  expiresIn: duration
    .default(HOUR)
    .refine((ms) => ms >= SECOND && ms <= MAX_TOKEN_LIFE, 'expected 1s to 366d')
    .describe('How long the token is valid: 10m, 12h, 7d'),
});

/** Registers sites and devices, and gives devices what they connect with. */
@ApiTags('Pendaftaran / Registry')
@ApiBearerAuth()
@Controller('api/v1')
export class RegistryController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Put('sites/:site')
  @Registers('site')
  @Roles('admin')
  @ApiOperation({ summary: 'Mendaftarkan atau mengubah lokasi / Register or change a site' })
  @ApiZodBody(siteBody)
  async putSite(
    @Param('site', new ZodPipe(siteSchema.shape.id)) id: string,
    @Body(new ZodPipe(siteBody)) site: z.output<typeof siteBody>,
  ): Promise<unknown> {
    await this.pantau.registry.putSite({ id, ...site });
    return { id, ...site };
  }

  @Put('devices/:device')
  @Registers('device')
  @Roles('admin')
  @ApiOperation({
    summary: 'Mendaftarkan atau mengubah perangkat / Register or change a device',
    description: 'It gets no password here: issue a token, or `pantau device rotate`.',
  })
  @ApiZodBody(deviceBody)
  async putDevice(
    @Param('device', new ZodPipe(deviceSchema.shape.id)) id: string,
    @Body(new ZodPipe(deviceBody)) { interval, maxAge, intervalFrom, ...rest }: z.output<typeof deviceBody>,
  ): Promise<unknown> {
    const device = { id, ...rest, intervalMs: interval, ...defined({ maxAgeMs: maxAge }) };
    await this.pantau.registry.putDevice(device, intervalFrom);
    return device;
  }

  @Post('devices/:device/tokens')
  @HttpCode(201)
  @Roles('admin')
  @ApiOperation({
    summary: 'Kata sandi berjangka bagi perangkat / A password of limited life for a device',
    description:
      'The token stands in the place of the password. Rotating or revoking the device ends it earlier.',
  })
  @ApiZodBody(tokenBody)
  async token(
    @Param('device') id: string,
    @Body(new ZodPipe(tokenBody)) { expiresIn }: z.output<typeof tokenBody>,
  ): Promise<unknown> {
    if ((await this.pantau.registry.device(id)) === undefined)
      throw new PantauError('DEVICE_UNKNOWN', `no device ${id} is registered.`);
    const expiresAt = new Date(this.pantau.clock.now() + expiresIn).toISOString();
    return { token: await this.pantau.deviceTokens.issue(id, expiresIn), expiresAt };
  }

  @Get('rules')
  @ApiOperation({ summary: 'Aturan peringatan yang berlaku / The alert rules in force' })
  rules(): unknown {
    return {
      items: this.pantau.rules.map((rule) => ruleView(rule)),
    };
  }
}
