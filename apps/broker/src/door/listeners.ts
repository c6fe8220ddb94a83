import { messageOf, PantauError, type Millis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import { once } from 'node:events';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { BlockList, createServer, isIPv6, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { createServer as createTlsServer, type Server as TlsServer, type TlsOptions } from 'node:tls';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Admission, Ticket } from './admission.js';
import { readProxyHeader } from './proxy-protocol.js';
import { WebSocketFrames } from './web-socket-frames.js';

export type ListenerKind = 'tcp' | 'tls' | 'ws' | 'wss';

/** Where a connection comes from. */
export interface ConnectionOrigin {
  readonly listener: ListenerKind;
  readonly address: string;
  readonly port: number;
  readonly ticket: Ticket;
  /** Names in the client's certificate (CN, then DNS names of the SAN), when it has a valid one. */
  readonly certificate: readonly string[] | undefined;
  /** Of a WebSocket. */
  readonly frames?: WebSocketFrames;
}

export interface TlsFiles {
  /** PEM files. */
  readonly key: string;
  readonly cert: string;
  /** Authorities of client certificates; without it none are asked for. */
  readonly clientCa?: string | undefined;
  /** Certificates that those authorities took back. */
  readonly clientCrl?: string | undefined;
  readonly clientCertificate: 'optional' | 'required';
}

export interface ListenerOptions {
  readonly host: string;
  /** Port by kind; 0 takes a free one; a kind without a port is off. */
  readonly ports: Readonly<Partial<Record<ListenerKind, number>>>;
  /** For `tls` and `wss`. */
  readonly tls: TlsFiles | undefined;
  /** Path of `ws` and `wss`. */
  readonly path: string;
  /** Networks (CIDR) of balancers that speak the PROXY protocol. */
  readonly trustedProxies: readonly string[];
  readonly connectTimeoutMs: Millis;
  /** Connections of balancers that wait for their PROXY header. */
  readonly maxPending: number;
  readonly maxPacketBytes: number;
}

/** How often certificate files are looked at. */
const CERTIFICATE_CHECK: Millis = 2_000;
/** Connections that are accepted in one go, while everybody else waits. Those beyond it come again after a second (TCP). */
const BACKLOG = 128;
const MIN_TLS = 'TLSv1.2';
/** Of a WebSocket message; each costs a buffer. */
const MAX_FRAGMENTS = 1_024;
/** Of an HTTP request that becomes a WebSocket. */
const MAX_HEADER_BYTES = 8_192;

export interface ListenerHooks {
  handle(stream: Duplex, origin: ConnectionOrigin, request?: IncomingMessage): void;
  /** A connection that did not become MQTT: a limit, a failed handshake. */
  refused(reason: 'limit_exceeded' | 'malformed' | 'bad_credentials', detail: string, address: string): void;
}

/** MQTT over TCP, TLS, WebSocket and secure WebSocket, with the PROXY protocol in front of any of them. */
export class Listeners {
  readonly #servers = new Map<ListenerKind, Server>();
  readonly #secure: (TlsServer | HttpServer)[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #origins = new WeakMap<object, ConnectionOrigin>();
  readonly #proxies = new BlockList();
  /** Connections whose refusal has been told already. */
  readonly #refused = new WeakSet<ConnectionOrigin>();
  readonly #webSockets: WebSocketServer;
  /** Connections whose PROXY header is not here yet. */
  #unproxied = 0;

  constructor(
    private readonly options: ListenerOptions,
    private readonly admission: Admission,
    private readonly hooks: ListenerHooks,
    private readonly logger: Logger,
  ) {
    for (const network of options.trustedProxies) addNetwork(this.#proxies, network);
    this.#webSockets = new WebSocketServer({
      noServer: true,
      handleProtocols: () => 'mqtt',
      perMessageDeflate: false,
      maxPayload: options.maxPacketBytes,
      maxFragments: MAX_FRAGMENTS,
    });
  }

  /** @throws PantauError `PORT_IN_USE`, `CONFIG_UNREADABLE`, `CONFIG_INVALID` */
  async open(): Promise<void> {
    for (const [kind, port] of Object.entries(this.options.ports) as [ListenerKind, number][]) {
      const serve = this.#serverOf(kind);
      const server = createServer({ noDelay: true }, (socket) => void this.#accept(kind, socket, serve));
      this.#servers.set(kind, server);
      server.listen({ port, host: this.options.host, backlog: BACKLOG });
      try {
        await once(server, 'listening');
      } catch (cause) {
        throw listenError(cause, kind, port, this.options.host);
      }
      this.logger.info({ listener: kind, host: this.options.host, port: this.port(kind) }, 'MQTT listens');
    }
    if (this.#secure.length > 0) this.#watchCertificates();
  }

  port(kind: ListenerKind): number | undefined {
    return (this.#servers.get(kind)?.address() as AddressInfo | null | undefined)?.port;
  }

  /** Reads the certificate files again. Connections that stand keep the ones they began with. */
  reloadCertificates(): void {
    try {
      const options = this.#tlsOptions();
      for (const server of this.#secure) if ('setSecureContext' in server) server.setSecureContext(options);
      this.logger.info('TLS certificates were read again');
    } catch (error) {
      this.logger.error({ err: error }, 'the new TLS certificates cannot be used; the old ones stay');
    }
  }

  async close(): Promise<void> {
    for (const file of this.#certificateFiles()) unwatchFile(file);
    const closed = Array.from(
      this.#servers.values(),
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  async #accept(
    kind: ListenerKind,
    socket: Socket,
    serve: (socket: Socket, origin: ConnectionOrigin) => void,
  ): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    let { remoteAddress: address = '', remotePort: port = 0 } = socket;
    try {
      if (this.#proxies.check(plain(address), isIPv6(plain(address)) ? 'ipv6' : 'ipv4')) {
        if (this.#unproxied >= this.options.maxPending) throw new Error('too many wait for their header');
        this.#unproxied++;
        const source = await readProxyHeader(socket, this.options.connectTimeoutMs).finally(
          () => this.#unproxied--,
        );
        if (source !== undefined) ({ address, port } = source);
      }
    } catch (error) {
      this.hooks.refused('malformed', `PROXY protocol: ${messageOf(error)}`, address);
      socket.destroy();
      return;
    }
    const ticket = this.admission.admit(address);
    if (typeof ticket === 'string') {
      this.hooks.refused('limit_exceeded', ticket, address);
      socket.destroy();
      return;
    }
    // One deadline for TLS handshake, HTTP upgrade and CONNECT together, whatever of it the client drags out. (Node's
    // own HTTP timeouts run only in servers that listen themselves.)
    const deadline = setTimeout(() => {
      this.#refused.add(origin);
      this.hooks.refused('limit_exceeded', 'connectTimeout', origin.address);
      socket.destroy();
    }, this.options.connectTimeoutMs);
    const origin: ConnectionOrigin = {
      listener: kind,
      address: plain(address),
      port,
      ticket: {
        arrived: () => {
          clearTimeout(deadline);
          ticket.arrived();
        },
        release: () => {
          clearTimeout(deadline);
          ticket.release();
        },
      },
      certificate: undefined,
    };
    socket.once('close', () => origin.ticket.release());
    if (socket.destroyed) origin.ticket.release();
    else serve(socket, origin);
  }

  #serverOf(kind: ListenerKind): (socket: Socket, origin: ConnectionOrigin) => void {
    const { hooks } = this;
    if (kind === 'tcp')
      return (socket, origin) => handleOnceHeard(socket, () => hooks.handle(socket, origin));
    const server: TlsServer | HttpServer =
      kind === 'tls'
        ? createTlsServer(this.#tlsOptions())
        : kind === 'wss'
          ? createHttpsServer({ ...this.#tlsOptions(), maxHeaderSize: MAX_HEADER_BYTES })
          : createHttpServer({ maxHeaderSize: MAX_HEADER_BYTES });
    if (kind !== 'ws') {
      this.#secure.push(server);
      server.on('secureConnection', (stream: TLSSocket) => {
        const origin = this.#secured(stream);
        if (origin === undefined) stream.destroy();
        else if (kind === 'tls') handleOnceHeard(stream, () => hooks.handle(stream, origin));
        else this.#origins.set(stream, origin);
      });
      server.on('tlsClientError', (error: Error, stream: TLSSocket) => {
        const origin = this.#originOf(stream);
        if (origin !== undefined && this.#refused.has(origin)) return;
        hooks.refused('malformed', `TLS: ${error.message}`, origin?.address ?? '');
      });
    }
    if (kind !== 'tls') this.#serveWebSockets(server as HttpServer);
    return (socket, origin) => {
      this.#origins.set(socket, origin);
      server.emit('connection', socket);
    };
  }

  #serveWebSockets(server: HttpServer): void {
    server.on('request', (_request, response) => {
      response.writeHead(426, { 'content-type': 'text/plain; charset=utf-8', upgrade: 'websocket' });
      response.end('MQTT melalui WebSocket / MQTT over WebSocket\n');
    });
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      const origin = this.#origins.get(stream) ?? this.#originOf(stream);
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
      if (
        origin === undefined ||
        request.url?.split('?')[0] !== this.options.path ||
        !offered.includes('mqtt')
      ) {
        stream.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
        return;
      }
      this.#webSockets.handleUpgrade(request, stream, head, (webSocket) => {
        const frames = new WebSocketFrames(
          webSocket,
          stream,
          this.admission.arriving(origin.address, stream),
          () => {
            this.hooks.refused('limit_exceeded', 'arrivingBytes: a WebSocket frame', origin.address);
            webSocket.terminate();
          },
        );
        this.hooks.handle(createWebSocketStream(webSocket), { ...origin, frames }, request);
      });
    });
  }

  /** The origin of a finished handshake with what the client's certificate says; undefined when it is not valid. */
  #secured(stream: TLSSocket): ConnectionOrigin | undefined {
    const origin = this.#originOf(stream);
    if (origin === undefined) return undefined;
    const certificate = stream.getPeerCertificate();
    const isThere = Object.keys(certificate).length > 0;
    if (!isThere && this.options.tls?.clientCertificate !== 'required') return origin;
    if (!isThere || !stream.authorized) {
      // Judged here and not by TLS, which would close the connection without a word of why.
      const why = isThere ? String(stream.authorizationError) : 'none was sent';
      this.hooks.refused('bad_credentials', `client certificate: ${why}`, origin.address);
      return undefined;
    }
    const dns = (certificate.subjectaltname ?? '')
      .split(', ')
      .flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : []));
    return {
      ...origin,
      certificate: [certificate.subject.CN, ...dns].flat().filter((name) => name !== undefined),
    };
  }

  /** Node keeps the socket under a TLS stream in `_parent`; it has no public name. */
  #originOf(stream: object): ConnectionOrigin | undefined {
    const parent = (stream as { readonly _parent?: object })._parent;
    return this.#origins.get(stream) ?? (parent === undefined ? undefined : this.#origins.get(parent));
  }

  #tlsOptions(): TlsOptions {
    const { tls } = this.options;
    if (tls === undefined)
      throw new PantauError('CONFIG_INVALID', 'mqtt.tls and mqtt.wss need a certificate.', {
        remedy: 'Set mqtt.certificate.key and mqtt.certificate.cert.',
      });
    const { key, cert, clientCa, clientCrl } = tls;
    return {
      key: read(key),
      cert: read(cert),
      minVersion: MIN_TLS,
      ...(clientCa === undefined ? {} : { ca: read(clientCa), requestCert: true, rejectUnauthorized: false }),
      ...(clientCrl === undefined ? {} : { crl: read(clientCrl) }),
    };
  }

  #certificateFiles(): string[] {
    const { key, cert, clientCa, clientCrl } = this.options.tls ?? {};
    return [key, cert, clientCa, clientCrl].filter((file) => file !== undefined);
  }

  #watchCertificates(): void {
    for (const file of this.#certificateFiles()) {
      watchFile(file, { interval: CERTIFICATE_CHECK, persistent: false }, (now, before) => {
        if (now.mtimeMs !== before.mtimeMs && now.size > 0) this.reloadCertificates();
      });
    }
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new PantauError('CONFIG_UNREADABLE', `cannot read ${file}.`, {
      remedy: 'Check path and permissions of mqtt.certificate.',
      cause,
    });
  }
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', bits] = network.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}

function listenError(cause: unknown, kind: ListenerKind, port: number, host: string): PantauError {
  const busy = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
  return new PantauError(
    'PORT_IN_USE',
    busy ? `MQTT port ${port} on ${host} is in use.` : `cannot listen on MQTT port ${port} of ${host}.`,
    {
      remedy: `End the program that uses it, or choose another port: ${kind === 'tcp' ? 'mqtt.port in pantau.yaml or PANTAU_MQTT_PORT' : `mqtt.${kind} in pantau.yaml`}.`,
      cause,
    },
  );
}

/**
 * Makes a client of a connection when its first byte is here. What Aedes sets up for one costs more than accepting it, and
 * a flood of connections that never say anything shall not have it.
 */
function handleOnceHeard(stream: Socket, handle: () => void): void {
  stream.once('readable', () => {
    if (stream.destroyed) return;
    if (stream.readableLength === 0) {
      // Its end.
      stream.destroy();
      return;
    }
    handle();
    // What is here already is announced to those only who listen before it comes.
    stream.emit('readable');
  });
}
