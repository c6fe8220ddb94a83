import {
  DevicePasswords,
  type ServiceAccounts,
  type Device,
  type DevicePasswordsDependencies,
  type Registry,
} from '#libs/identity';
import type { Rate } from '#libs/kernel';
import { ID_PATTERN, type RejectionReason } from '#libs/telemetry';
import { devicePrincipal, type MqttPrincipal } from './access.js';
import type { ConnectionOrigin } from '../door/listeners.js';

/** Return codes of CONNACK (MQTT 3.1.1, table 3.1). */
export const IDENTIFIER_REJECTED = 2;
export const SERVER_UNAVAILABLE = 3;
export const BAD_USER_NAME_OR_PASSWORD = 4;
export const NOT_AUTHORIZED = 5;

/** Why somebody may not in. `detail` is for the operator; the client gets the return code alone. */
export class DeniedError extends Error {
  constructor(
    readonly reason: RejectionReason,
    readonly detail: string,
    readonly returnCode: number,
    /** The registered device or account that the client claims to be. */
    readonly claimed?: { readonly id: string; readonly site?: string; readonly topic?: string },
  ) {
    super(detail);
  }
}

export interface Credentials {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export interface AuthenticatorDependencies extends DevicePasswordsDependencies {
  readonly registry: Registry;
  readonly accounts: ServiceAccounts;
}

/** The longest name that is worth showing; a client may call itself anything. */
const SHOWN = 63;
const MAX_CLIENT_ID = 128;
/** Control characters, and what stands for bytes that were no UTF-8 [MQTT-1.5.3-1]. */
const NOT_IN_CLIENT_ID = /[\u0000-\u001f\u007f-\u009f\ufffd]/u;

/** Finds out who a client is: by password, by short-lived token, or by certificate. */
export class Authenticator {
  readonly #passwords: DevicePasswords;

  constructor(
    private readonly pantau: AuthenticatorDependencies,
    failuresPerAddress: Rate,
  ) {
    this.#passwords = new DevicePasswords(pantau, failuresPerAddress);
  }

  /** @throws DeniedError */
  async authenticate(
    { clientId, username, password }: Credentials,
    origin: ConnectionOrigin,
  ): Promise<MqttPrincipal> {
    const named = username ?? '';
    const name = origin.certificate === undefined ? named : await this.#certified(origin.certificate, named);
    const principal =
      origin.certificate === undefined
        ? await this.#byPassword(name, password, origin)
        : await this.#principal(name);
    if (principal === undefined) throw unknown(name);
    await this.#assertClientId(clientId, principal);
    return principal;
  }

  /** The registered device that the certificate names. */
  async #certified(names: readonly string[], username: string): Promise<string> {
    for (const name of names) {
      if ((await this.#principal(name)) === undefined) continue;
      if (username !== '' && username !== name)
        throw denied(
          'bad_credentials',
          `the certificate names ${name}, the user name is "${shown(username)}"`,
          name,
        );
      if ((await this.pantau.credentials.access(name)).revoked)
        throw denied('revoked', `${name} is revoked`, name);
      return name;
    }
    throw denied(
      'unknown_device',
      `the certificate names no registered device: ${names.map(shown).join(', ')}`,
    );
  }

  async #byPassword(
    name: string,
    password: string | undefined,
    { address }: ConnectionOrigin,
  ): Promise<MqttPrincipal | undefined> {
    // Nobody has such a name: nothing is computed for it, and nothing kept.
    if (!ID_PATTERN.test(name)) return undefined;
    let principal: MqttPrincipal | undefined;
    const verdict = await this.#passwords.check(name, password, address, async () => {
      principal = await this.#principal(name);
      return principal !== undefined;
    });
    if (verdict === 'right') return principal;
    if (verdict === 'name_waits')
      throw denied('limit_exceeded', `too many wrong passwords for "${shown(name)}"; it has to wait`);
    if (verdict === 'address_waits') throw unavailable('authFailuresPerAddress');
    if (verdict === 'queue_full') throw unavailable('password queue');
    if ((await this.#principal(name)) === undefined) throw unknown(name);
    const { revoked } = await this.pantau.credentials.access(name);
    throw revoked
      ? denied('revoked', `${name} is revoked`, name)
      : denied('bad_credentials', 'wrong password', name);
  }

  async #principal(name: string): Promise<MqttPrincipal | undefined> {
    if (!ID_PATTERN.test(name)) return undefined;
    const { registry, accounts } = this.pantau;
    const device = await registry.device(name);
    if (device === undefined) {
      const account = await accounts.get(name);
      return account === undefined ? undefined : { kind: 'account', id: name, account };
    }
    const others = await Promise.all((device.speaksFor ?? []).map((id) => registry.device(id)));
    return devicePrincipal(
      device,
      others.filter((other): other is Device => other !== undefined),
    );
  }

  /** The client id belongs to the credential: nobody can push another client out by taking its id. */
  async #assertClientId(clientId: string, principal: MqttPrincipal): Promise<void> {
    const { id } = principal;
    if (principal.kind === 'device') {
      if (clientId === id) return;
      const detail = `client id "${shown(clientId)}" is not the device id`;
      throw new DeniedError('bad_credentials', detail, IDENTIFIER_REJECTED, { id, site: principal.site });
    }
    const taken =
      clientId.length > MAX_CLIENT_ID ||
      NOT_IN_CLIENT_ID.test(clientId) ||
      (clientId !== id &&
        ID_PATTERN.test(clientId) &&
        ((await this.pantau.registry.device(clientId)) ?? (await this.pantau.accounts.get(clientId))) !==
          undefined);
    if (taken) {
      const detail = `client id "${shown(clientId)}" is somebody else's, too long, or not text`;
      throw new DeniedError('bad_credentials', detail, IDENTIFIER_REJECTED, { id });
    }
  }
}

function unknown(name: string): DeniedError {
  return denied('unknown_device', `no device "${shown(name)}" is registered`);
}

function unavailable(detail: string): DeniedError {
  return new DeniedError('limit_exceeded', detail, SERVER_UNAVAILABLE);
}

function denied(reason: RejectionReason, detail: string, id?: string): DeniedError {
  return new DeniedError(reason, detail, BAD_USER_NAME_OR_PASSWORD, id === undefined ? undefined : { id });
}

function shown(name: string): string {
  return name.slice(0, SHOWN);
}
