import { isObject } from '#libs/kernel';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { isPublicRoute } from './permission.js';
import { REGISTERS, unknown, UNREGISTERED } from './names.js';

const LONGEST_NAME = 100;

/**
 * Devices, sites and indicators that a request names, in its path, query or body, before any route sees them: an
 * empty list for a typing error would say that there is nothing. A new route is in it by itself.
 */
@Injectable()
export class NamesGuard implements CanActivate {
  constructor(
    @Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Whoever may see no device is not told which there are.
    if (isPublicRoute(this.reflector, context)) return true;
    const { params, query, body } = context.switchToHttp().getRequest<FastifyRequest>();
    const { registry } = this.pantau;
    const registers = this.reflector.get<string | undefined>(REGISTERS, context.getHandler());
    const inPath = Object.entries(params as object).filter(([name]) => name !== registers);
    const inBody = isObject(body) ? { device: body['device'] } : {};
    for (const members of [Object.fromEntries(inPath), query, inBody]) {
      const { device, site, indicator } = members as Readonly<Record<string, unknown>>;
      if (
        isName(device) &&
        !this.#takesUnregistered(context) &&
        (await registry.device(device)) === undefined
      )
        throw unknown(
          'DEVICE_UNKNOWN',
          'device',
          device,
          await registry.idsNear('device', device),
          'GET /api/v1/devices',
        );
      if (isName(site) && (await registry.site(site)) === undefined)
        throw unknown(
          'SITE_UNKNOWN',
          'site',
          site,
          await registry.idsNear('site', site),
          'GET /api/v1/sites',
        );
      const indicators = this.pantau.evidence.definitions.map(({ key }) => key);
      if (isName(indicator) && !indicators.some((key) => key === indicator))
        throw unknown('NOT_FOUND', 'indicator', indicator, indicators, 'GET /api/v1/indicators');
    }
    return true;
  }

  #takesUnregistered(context: ExecutionContext): boolean {
    return this.reflector.get<boolean | undefined>(UNREGISTERED, context.getHandler()) === true;
  }
}

/** What is no text, or too long for a name, is for the schema to refuse. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_NAME;
}
