import type { Millis, Random } from '#libs/kernel';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What a link does to the bytes of a connection. */
export interface LinkConditions {
  /** One way. */
  readonly delayMs: Millis;
  /** At most so much more, differently for each piece; order is kept. */
  readonly jitterMs: Millis;
  /** In each direction, for each connection. */
  readonly bytesPerSecond: number;
}

export const PERFECT_LINK: LinkConditions = { delayMs: 0, jitterMs: 0, bytesPerSecond: Infinity };

export interface LinkProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** Draws the jitter. */
  readonly random: Random;
}

type Pair = readonly [near: Socket, far: Socket];

/**
 * A mobile link on loopback: a TCP proxy that delays, throttles, loses and silences connections. Each direction reads no
 * further than what it may send, so back-pressure reaches the sender as it does on a slow link.
 */
export class LinkProxy implements AsyncDisposable {
  readonly #options: LinkProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  /** Pairs that have gone silent: what one end does, the other does not hear. */
  readonly #silent = new Set<Pair>();
  #conditions = PERFECT_LINK;
  /** While the link is down: new connections are not answered. */
  #isDown = false;
  readonly #held = new Set<Socket>();

  private constructor(options: LinkProxyOptions) {
    this.#options = options;
    this.#server = createServer((near) => this.#connected(near));
  }

  static async open(options: LinkProxyOptions): Promise<LinkProxy> {
    const proxy = new LinkProxy(options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that go through now. */
  get connections(): number {
    return this.#pairs.size;
  }

  set(conditions: Partial<LinkConditions>): void {
    this.#conditions = { ...PERFECT_LINK, ...conditions };
  }

  /** Ends every connection; both ends are told. */
  cut(): void {
    for (const pair of [...this.#pairs, ...this.#silent]) for (const socket of pair) socket.resetAndDestroy();
    this.#silent.clear();
  }

  /** Every connection goes silent, and neither end is told: each has to find out. */
  halfOpen(): void {
    for (const pair of this.#pairs) {
      for (const socket of pair) socket.removeAllListeners('data').pause();
      this.#silent.add(pair);
    }
    this.#pairs.clear();
  }

  /** Takes the link away: connections go silent, and new ones wait unanswered until it is {@link up}. */
  down(): void {
    this.#isDown = true;
    this.halfOpen();
  }

  /** The link is back; what hung in the air is reset, as by a network that has forgotten it. */
  up(): void {
    this.#isDown = false;
    this.cut();
    for (const socket of this.#held) socket.resetAndDestroy();
    this.#held.clear();
  }

  #connected(near: Socket): void {
    near.on('error', () => undefined);
    if (this.#isDown) {
      near.pause();
      this.#held.add(near);
      near.once('close', () => this.#held.delete(near));
      return;
    }
    const far = connect({ ...this.#options.target, noDelay: true });
    near.setNoDelay(true);
    const pair: Pair = [near, far];
    this.#pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#carry(from, to);
      from.on('error', () => undefined);
      from.once('close', () => {
        if (!this.#silent.has(pair)) to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  /** Carries one direction, piece by piece. */
  #carry(from: Socket, to: Socket): void {
    let queue = Promise.resolve();
    let pending = 0;
    from.on('data', (piece: Buffer) => {
      const { delayMs, jitterMs, bytesPerSecond } = this.#conditions;
      const dueAt = performance.now() + delayMs + jitterMs * this.#options.random();
      // No more in flight than the link holds: the sender has to wait.
      pending += piece.length;
      if (bytesPerSecond !== Infinity) from.pause();
      queue = queue.then(async () => {
        const wait = dueAt - performance.now();
        if (wait > 0) await delay(wait);
        if (bytesPerSecond !== Infinity) await delay((1000 * piece.length) / bytesPerSecond);
        if (to.writable && !to.write(piece)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
        pending -= piece.length;
        if (pending === 0 && !from.destroyed) from.resume();
      });
    });
    from.once('end', () => void queue.then(() => to.end()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of [...this.#pairs, ...this.#silent]) for (const socket of pair) socket.destroy();
    for (const socket of this.#held) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
