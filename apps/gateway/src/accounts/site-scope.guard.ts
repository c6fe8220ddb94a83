import {
  ForbiddenException,
  Inject,
  Injectable,
  SetMetadata,
  type CustomDecorator,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { AuthenticatedRequest } from '../http/auth.js';
import { isPublicRoute } from '../http/permission.js';

/** Where the routes say which parameters they take: the metadata from which the OpenAPI document is made. */
const PARAMETERS = 'swagger/apiParameters';
type Named = Readonly<Record<string, unknown>>;

const BY_ITSELF = 'pantau:tells-of-its-sites';
/** A route that names no site and looks itself at what a token is limited to: it tells of those sites alone. */
export const TellsOfItsSites = (): CustomDecorator => SetMetadata(BY_ITSELF, true);

/**
 * A token that is limited to sites names one of them, or a device there, in every request: in the path, or in the query of a route
 * that takes it. Whatever tells of more than what a request names is not for it, and a new route is in that by itself.
 */
@Injectable()
export class SiteScopeGuard implements CanActivate {
  constructor(
    @Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { principal, params, query } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const sites = principal?.sites;
    const isPublic = isPublicRoute(this.reflector, context);
    const looksItself = this.reflector.get<boolean | undefined>(BY_ITSELF, context.getHandler()) === true;
    if (sites === undefined || isPublic || looksItself) return true;
    const { registry } = this.pantau;
    const parameters =
      this.reflector.get<readonly Named[] | undefined>(PARAMETERS, context.getHandler()) ?? [];
    const isTaken = (name: string): boolean =>
      parameters.some((one) => one['in'] === 'query' && one['name'] === name);
    const named = (name: string): unknown[] =>
      [(params as Named)[name], isTaken(name) ? (query as Named)[name] : undefined].filter(
        (value) => value !== undefined,
      );
    const devices = await Promise.all(
      named('device').map(async (id) =>
        typeof id === 'string' ? (await registry.device(id))?.site : undefined,
      ),
    );
    const asked = [...named('site'), ...devices];
    if (asked.length > 0 && asked.every((site) => sites.some((one) => one === site))) return true;
    const list = sites.join(', ') || '–';
    throw new ForbiddenException(
      `Token ini hanya untuk lokasi ${list}: sebutkan site atau device darinya. / This token is for the sites ${list} alone: name one of them as site, or a device there as device.`,
    );
  }
}
