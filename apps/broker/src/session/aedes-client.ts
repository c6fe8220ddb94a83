import type { Aedes, AuthenticateError, Client } from 'aedes';

/** Members of Aedes' client that its types do not name. */
export interface ClientInternals {
  /** Set when the client sent DISCONNECT. */
  readonly _disconnected?: boolean;
  /** The packet that Aedes hands over to be authorised when the connection is lost. */
  readonly will?: object;
  readonly subscriptions: Readonly<Record<string, unknown>>;
  readonly _parser: {
    on(event: 'packet', listener: (packet: { cmd: string; messageId?: number }) => void): void;
    prependListener(event: 'error', listener: (error: Error) => void): void;
  };
  /** Counts one packet as dealt with and reads on when there is none left. */
  _nextBatch(): void;
}

export function internalsOf(client: Client): ClientInternals {
  return client as unknown as ClientInternals;
}

/** Those that are connected, by client id. */
export function clientsOf(aedes: Aedes): Readonly<Record<string, Client>> {
  return (aedes as unknown as { readonly clients: Readonly<Record<string, Client>> }).clients;
}

/** Pantau ends the connection; what there is to say of it has been said. */
export class EndedError extends Error {
  readonly code = 'ENDED';
}

/** What Aedes answers a CONNECT with. */
export function connackError(returnCode: number, message: string): AuthenticateError {
  // The declared type of returnCode is a const enum, which isolated modules cannot import; it is a number.
  const error: Error = Object.assign(new Error(message), { returnCode });
  return error as AuthenticateError;
}
