import {
  DevicePasswords,
  type Device,
  type DevicePasswordsDependencies,
  type Registry,
} from '#libs/identity';
import { PantauError, type Rate } from '#libs/kernel';
import { ID_PATTERN } from '#libs/telemetry';

export interface SenderCheckOptions extends DevicePasswordsDependencies {
  readonly registry: Registry;
  readonly authFailures: Rate;
}

/** What a request says of who sends it. */
export interface Sent {
  readonly headers: { readonly authorization?: string | undefined };
  readonly params: unknown;
  /** Undefined for a program of this machine that speaks for nobody else on the local socket. */
  readonly ip: string | undefined;
}

/** Who sends: MQTT credentials as basic authentication, or a short-lived token as bearer. */
export class SenderCheck {
  readonly #passwords: DevicePasswords;

  constructor(private readonly options: SenderCheckOptions) {
    this.#passwords = new DevicePasswords(options, options.authFailures);
  }

  /**
   * The device that the path names, when whoever asks may speak for it.
   *
   * @throws PantauError `TOKEN_INVALID`, `FORBIDDEN`, `OVERLOADED`
   */
  async deviceOf({ headers, params, ip = 'local' }: Sent): Promise<Device> {
    const { registry } = this.options;
    const wanted = (params as { readonly device: string }).device;
    const [id, password] = credentialsOf(headers.authorization, wanted);
    const sender = await this.#sender(id, password, ip);
    if (sender === undefined)
      throw new PantauError('TOKEN_INVALID', 'device id or password are missing or wrong.', {
        remedy: 'Send the MQTT credentials of the device as HTTP basic authentication.',
      });
    if (id === wanted) return sender;
    const other = sender.speaksFor?.includes(wanted) === true ? await registry.device(wanted) : undefined;
    if (other === undefined)
      throw new PantauError('FORBIDDEN', `${id} does not speak for ${wanted.slice(0, 63)}.`);
    return other;
  }

  async #sender(id: string, password: string, address: string): Promise<Device | undefined> {
    // Nobody has such a name: nothing is computed for it, and nothing kept.
    if (password === '' || !ID_PATTERN.test(id)) return undefined;
    let device: Device | undefined;
    const verdict = await this.#passwords.check(id, password, address, async () => {
      device = await this.options.registry.device(id);
      return device !== undefined;
    });
    if (verdict === 'right') return device;
    if (verdict === 'wrong') return undefined;
    const detail = {
      name_waits: `too many wrong passwords for "${id}" from this address; it has to wait.`,
      address_waits: 'too many wrong passwords from this address.',
      queue_full: 'too many passwords wait to be checked.',
    }[verdict];
    throw new PantauError('OVERLOADED', detail, { transient: true });
  }
}

/** @param wanted - whose token a bearer token is */
function credentialsOf(authorization = '', wanted: string): readonly [id: string, password: string] {
  const [scheme = '', secret = ''] = authorization.split(' ');
  if (scheme.toLowerCase() === 'bearer') return [wanted, secret];
  if (scheme.toLowerCase() !== 'basic') return ['', ''];
  const [user = '', ...rest] = Buffer.from(secret, 'base64').toString('utf8').split(':');
  return [user, rest.join(':')];
}
