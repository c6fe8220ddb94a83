import type { Device, Registry } from '#libs/identity';
import { nearestName, PantauError, type ErrorCode } from '#libs/kernel';
import { SetMetadata, type CustomDecorator } from '@nestjs/common';

export const UNREGISTERED = 'pantau:unregistered';
/** A route that also tells of senders that are not registered: a gateway of another broker, a service account. */
export const TakesUnregistered = (): CustomDecorator => SetMetadata(UNREGISTERED, true);

export const REGISTERS = 'pantau:registers';
/** A route that registers what its path names, so that nobody can know it before. */
export const Registers = (name: 'site' | 'device'): CustomDecorator => SetMetadata(REGISTERS, name);

/** The device, which may have been heard of without being registered. @throws PantauError `DEVICE_UNKNOWN` */
export async function assertHeardOf(
  registry: Registry,
  device: string | undefined,
  isHeardOf: boolean,
): Promise<void> {
  if (device === undefined || isHeardOf || (await registry.device(device)) !== undefined) return;
  const near = await registry.idsNear('device', device);
  throw unknown('DEVICE_UNKNOWN', 'device', device, near, 'GET /api/v1/devices');
}

/** What a request names and nobody knows, with the name that was meant perhaps. */
export function unknown(
  code: ErrorCode,
  kind: string,
  name: string,
  known: readonly string[],
  list: string,
): PantauError {
  const nearest = nearestName(name, known);
  const message =
    nearest === undefined ? `no ${kind} ${name}` : `no ${kind} ${name}; did you mean ${nearest}?`;
  return new PantauError(code, nearest === undefined ? `${message}.` : message, {
    remedy: `${list} lists them.`,
    fields: [{ field: kind, message }],
  });
}

/** @throws PantauError `DEVICE_UNKNOWN` */
export async function registeredDevice(registry: Registry, id: string): Promise<Device> {
  const device = await registry.device(id);
  if (device === undefined) throw new PantauError('DEVICE_UNKNOWN', `no device ${id} is registered.`);
  return device;
}
