import { PERMISSIONS, rolesWith, type Permission } from '#libs/identity';
import {
  applyDecorators,
  SetMetadata,
  type CustomDecorator,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { ApiBearerAuth, ApiCookieAuth, ApiExtension } from '@nestjs/swagger';

export const PUBLIC = 'pantau:public';
/** A route that needs no token. */
export const Public = (): CustomDecorator => SetMetadata(PUBLIC, true);

export function isPublicRoute(reflector: Reflector, context: ExecutionContext): boolean {
  return reflector.get<boolean | undefined>(PUBLIC, context.getHandler()) === true;
}

export const PERMISSION = 'pantau:permission';
/** Where the OpenAPI document says what a route needs. */
export const PERMISSION_EXTENSION = 'x-permission';

/** A route for those who have this permission. */
export function Allow(permission: Permission): MethodDecorator {
  return applyDecorators(
    SetMetadata(PERMISSION, permission),
    ApiBearerAuth(),
    ApiCookieAuth(),
    ApiExtension(PERMISSION_EXTENSION, permission),
  );
}

/** What a permission allows and who has it, for people. */
export function described(permission: Permission): string {
  const { id, en } = PERMISSIONS[permission];
  const roles = rolesWith(permission).join(', ');
  return `Perlu izin ${permission} (${id}), peran ${roles}. / Needs the permission ${permission} (${en}), roles ${roles}.`;
}

/** What Nest writes on a handler that is a route. */
const PATH = 'path';

/** @throws TypeError that names the routes which neither need a permission nor are public: nobody decided who may use them */
export function assertEveryRouteDecided(app: INestApplication): void {
  const reflector = app.get(Reflector);
  const undecided: string[] = [];
  for (const { controllers } of app.get(ModulesContainer).values())
    for (const { metatype } of controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const methods = Object.entries(Object.getOwnPropertyDescriptors(metatype.prototype as object));
      for (const [name, { value }] of methods) {
        const handler: unknown = value;
        if (name === 'constructor' || typeof handler !== 'function' || !Reflect.hasMetadata(PATH, handler))
          continue;
        const isDecided = [PERMISSION, PUBLIC].some(
          (key) => reflector.get<unknown>(key, handler) !== undefined,
        );
        if (!isDecided) undecided.push(`${metatype.name}.${name}`);
      }
    }
  if (undecided.length > 0)
    throw new TypeError(
      `who may use these routes? ${undecided.join(', ')}: add @Allow(permission) or @Public()`,
    );
}
