import { PantauError } from '#libs/kernel';

/**
 * What is said where an HTTP listener does not start.
 *
 * @param settings - of the port: its key and its variable
 */
export function portInUse(
  { host, port }: { readonly host: string; readonly port: number },
  settings: { readonly key: string; readonly variable: string },
  cause: unknown,
): PantauError {
  const busy = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
  return new PantauError(
    'PORT_IN_USE',
    busy ? `HTTP port ${port} on ${host} is in use.` : `cannot listen on HTTP port ${port} of ${host}.`,
    {
      remedy: `End the program that uses it, or choose another port: ${settings.key} in pantau.yaml or ${settings.variable}.`,
      cause,
    },
  );
}
