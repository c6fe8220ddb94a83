import { createLogger } from '#libs/platform';
import { temporaryFolder } from '#libs/testing';
import { fastify } from 'fastify';
import { once } from 'node:events';
import {
  Agent,
  createServer,
  request,
  type ClientRequest,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { handOnUplinks } from './hand-on-uplinks.js';

/** The API's port before an intake that does what it is told. */
class Doors implements AsyncDisposable {
  readonly #folder = temporaryFolder('hand-on');
  readonly #api = fastify();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #intake;

  constructor(
    answer: RequestListener,
    private readonly answerWithin = 30_000,
  ) {
    this.#intake = createServer(answer);
  }

  async open(): Promise<this> {
    const socket = join(this.#folder.path, 'intake.sock');
    await once(this.#intake.listen(socket), 'listening');
    const logger = createLogger('silent', 'hand-on');
    await this.#api.register(handOnUplinks({ socket, answerWithin: this.answerWithin }, logger));
    await this.#api.listen({ port: 0, host: '127.0.0.1' });
    return this;
  }

  /** A request with a body of so many bytes, which is still to come. */
  call(bytes: number): ClientRequest {
    const call = request({
      host: '127.0.0.1',
      port: (this.#api.server.address() as AddressInfo).port,
      agent: this.#agent,
      method: 'POST',
      path: '/api/v1/uplinks/udara-01',
      headers: { 'content-length': bytes },
    });
    call.flushHeaders();
    return call;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    this.#api.server.closeAllConnections();
    this.#intake.closeAllConnections();
    await this.#api.close();
    this.#intake.close();
    this.#folder[Symbol.dispose]();
  }
}

const responseTo = async (call: ClientRequest): Promise<IncomingMessage> =>
  ((await once(call, 'response')) as [IncomingMessage])[0];

describe('uplinks that are handed on', () => {
  it('are answered as soon as the intake answers, whether it wanted the body or not', async () => {
    await using doors = await new Doors((_request, response) => response.writeHead(401).end('{}')).open();
    const call = doors.call(1_000_000);
    const answer = await responseTo(call);
    expect(answer.statusCode).toBe(401);
    // Whoever sends the rest all the same keeps the connection.
    call.end(Buffer.alloc(1_000_000));
    await once(answer.resume(), 'end');
    const next = doors.call(0).end();
    expect((await responseTo(next)).statusCode).toBe(401);
    expect(next.reusedSocket).toBe(true);
  });

  it('are answered 503 when the intake takes too long', async () => {
    await using doors = await new Doors((request) => void request.resume(), 50).open();
    const answer = await responseTo(doors.call(2).end('{}'));
    expect([answer.statusCode, await json(answer)]).toEqual([
      503,
      expect.objectContaining({ code: 'INTAKE_UNAVAILABLE', detail: expect.stringContaining('0.05 s') }),
    ]);
  });

  it('end with the device that sent them', async () => {
    let arrive!: (request: IncomingMessage) => void;
    const arrived = new Promise<IncomingMessage>((resolve) => (arrive = resolve));
    await using doors = await new Doors((request) => arrive(request.resume())).open();
    const call = doors.call(2).on('error', () => {});
    call.end('{}');
    const { socket } = await arrived;
    const left = once(socket, 'close');
    call.destroy();
    await left;
  });
});
