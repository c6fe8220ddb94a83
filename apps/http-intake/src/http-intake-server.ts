import {
  answerClientError,
  closeInTime,
  KnownPaths,
  portInUse,
  REQUEST_TIMEOUT,
  sendProblem,
} from '#libs/http';
import { messageOf, PantauError } from '#libs/kernel';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { chmod, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { HttpIntakeListener, HttpIntakeOptions } from './options.js';
import { uplinkRoutes } from './uplink-routes.js';

export const HTTP_INTAKE_OPTIONS = Symbol('HttpIntakeOptions');

const CHALLENGE = 'Basic realm="Pantau"';
const ON_API_ALONE = 'devices that post are heard on the port of the API alone (http.port)';
const PORT_SETTINGS = { key: 'httpIntake.port', variable: 'PANTAU_HTTP_INTAKE_PORT' };

/**
 * Takes uplinks on the listener for devices, and on the local socket for what the API hands on. Both have the same routes,
 * with one account of who guesses and who sends too fast.
 */
@Injectable()
export class HttpIntakeServer implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('http-intake');
  readonly #routes: ReturnType<typeof uplinkRoutes>;
  readonly #servers: FastifyInstance[] = [];

  constructor(@Inject(HTTP_INTAKE_OPTIONS) private readonly options: HttpIntakeOptions) {
    this.#routes = uplinkRoutes(options);
  }

  /** @throws PantauError `PORT_IN_USE`, `DATA_DIR_UNUSABLE` when it would hear nobody */
  async onApplicationBootstrap(): Promise<void> {
    const { listener, noListener } = this.options;
    try {
      const fault = await this.#hearApi();
      const hearsDevices = listener !== undefined && (await this.#hearDevices(listener));
      if (fault !== undefined && !hearsDevices) throw fault;
      if (fault !== undefined)
        this.#warn(messageOf(fault), 'what devices post to the port of the API is answered 503');
      else if (noListener !== undefined) this.#warn(noListener, ON_API_ALONE);
    } catch (error) {
      await this.onApplicationShutdown();
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }

  /** @returns what kept it from that */
  async #hearApi(): Promise<PantauError | undefined> {
    const { socket } = this.options;
    const isFile = process.platform !== 'win32';
    try {
      // One that was killed left its socket behind; a claim lets one process alone come this far.
      if (isFile) await rm(socket, { force: true });
      // The API alone can open it, and says whom it speaks for.
      const server = await this.#server({ trustProxy: true });
      await server.listen({ path: socket });
      if (isFile) await chmod(socket, 0o600);
      return undefined;
    } catch (cause) {
      await this.onApplicationShutdown();
      return new PantauError('DATA_DIR_UNUSABLE', `cannot make the socket ${socket}.`, {
        remedy: `Give the data folder a shorter path, on a file system with sockets; or let devices post to a port of their own (${PORT_SETTINGS.key}).`,
        cause,
      });
    }
  }

  /** @returns whether it does */
  async #hearDevices({ isChosen, ...at }: HttpIntakeListener): Promise<boolean> {
    const server = await this.#server({ trustProxy: false });
    try {
      await server.listen(at);
    } catch (cause) {
      const fault = portInUse(at, PORT_SETTINGS, cause);
      if (isChosen) throw fault;
      this.#warn(messageOf(fault), ON_API_ALONE);
      return false;
    }
    this.options.onListening((server.server.address() as AddressInfo).port);
    return true;
  }

  #warn(why: string, consequence: string): void {
    this.#logger.warn(`${why} Until Pantau is started again ${consequence}.`);
  }

  async #server({ trustProxy }: { readonly trustProxy: boolean }): Promise<FastifyInstance> {
    const server = fastify({
      trustProxy,
      requestTimeout: REQUEST_TIMEOUT,
      clientErrorHandler: answerClientError,
      frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
        void sendProblem(error, request, reply, CHALLENGE),
    });
    this.#servers.push(server);
    closeInTime(server);
    const paths = new KnownPaths(server);
    server.setErrorHandler((error, request, reply) => {
      if (sendProblem(error, request, reply, CHALLENGE) === 500)
        this.#logger.error(`uplink failed: ${messageOf(error)}`);
      return reply;
    });
    server.setNotFoundHandler((request, reply) => {
      const allowed = paths.allowed(request);
      if (allowed !== undefined) void reply.header('allow', allowed);
      sendProblem(unknownRoute(request, allowed), request, reply, CHALLENGE);
      return reply;
    });
    await server.register(this.#routes);
    return server;
  }
}

function unknownRoute({ method, url }: FastifyRequest, allowed: string | undefined): Error {
  if (allowed === undefined)
    return new PantauError('NOT_FOUND', `${method} ${url.split('?')[0] ?? ''}: here devices post alone.`, {
      remedy: 'POST /api/v1/uplinks/{device}; the API has another port (http.port).',
    });
  return Object.assign(new Error(`${method}: ${allowed}`), { statusCode: 405 });
}
