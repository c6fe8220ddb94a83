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

  /** @throws PantauError `PORT_IN_USE` */
  async onApplicationBootstrap(): Promise<void> {
    try {
      await this.#hearApi();
      if (this.options.listener !== undefined) await this.#hearDevices(this.options.listener);
    } catch (error) {
      await this.onApplicationShutdown();
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }

  async #hearApi(): Promise<void> {
    const { socket } = this.options;
    // One that was killed left its socket behind; a claim lets one process alone come this far.
    if (process.platform !== 'win32') await rm(socket, { force: true });
    // The API alone can open it, and says whom it speaks for.
    const server = await this.#server({ trustProxy: true });
    await server.listen({ path: socket });
    if (process.platform !== 'win32') await chmod(socket, 0o600);
  }

  async #hearDevices({ isChosen, ...at }: HttpIntakeListener): Promise<void> {
    const server = await this.#server({ trustProxy: false });
    try {
      await server.listen(at);
    } catch (cause) {
      const fault = portInUse(at, PORT_SETTINGS, cause);
      if (isChosen) throw fault;
      this.#logger.warn(
        `${messageOf(fault)} Until then devices that post are heard on the port of the API alone (http.port).`,
      );
      return;
    }
    this.options.onListening((server.server.address() as AddressInfo).port);
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
