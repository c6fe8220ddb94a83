import { MINUTE, PantauError, SECOND, type Clock, type Millis, type UtcMillis } from '#libs/kernel';
import { namedRandom } from '#simulators/air';
import { MqttDevice } from '#simulators/client';
import { LinkProxy } from '#simulators/link';
import { Latencies } from '#simulators/load';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { LinkWeather } from './link-weather.js';
import type { SimulatedDevice } from './fleet.js';
import type { Scenario } from './scenario.js';
import { dueMessages, powerEdges, type DueMessage, type Edge } from './timeline.js';
import { Exceedances, truthBefore, truthOfMessage, type TruthRecord } from './truth.js';

export interface RunOptions {
  readonly scenario: Scenario;
  /** `mqtt://host:port` */
  readonly url: string;
  /** Password, or token, by device. */
  readonly passwords: ReadonlyMap<string, string>;
  /** Simulated seconds a second; `max` sends as fast as acknowledgements come. Never ahead of the machine's clock. */
  readonly speed: number | 'max';
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Takes the truth, line by line, in an order that the scenario alone decides. */
  readonly onTruth?: (record: TruthRecord) => void;
  readonly onProgress?: (progress: RunProgress) => void;
  /** The run is given up when there was no acknowledgement for so long and some are owed. */
  readonly patienceMs?: Millis;
}

export interface RunProgress {
  readonly devices: number;
  readonly connected: number;
  readonly simulatedAt: UtcMillis;
  /** Share of the scenario that has passed, 0 to 1. */
  readonly share: number;
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged messages a second since the last progress. */
  readonly rate: number;
  /** From the time when a message was due to its PUBACK, milliseconds. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  /** Faults that hold now, by kind. */
  readonly faults: Readonly<Record<string, number>>;
}

export interface RunReport {
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged messages by device. */
  readonly byDevice: ReadonlyMap<string, number>;
  readonly latencyMs: RunProgress['latencyMs'];
  readonly elapsedMs: Millis;
  readonly startedAt: UtcMillis;
  /** False when it was ended before the scenario. */
  readonly complete: boolean;
}

const PROGRESS_MS = 500;
const PATIENCE: Millis = 2 * MINUTE;
/** Messages of a device that has power and waits for acknowledgements, at a time. */
const OUTSTANDING_PER_DEVICE = 20;
const MIN_OUTSTANDING = 500;

/**
 * Runs a scenario: every device is an MQTT client of its own. One conductor hands the messages of the whole fleet out in the
 * order of their delivery, so power cuts, links and messages stand in the right order at any speed.
 *
 * @throws PantauError `TOKEN_INVALID` when the broker refuses a device; `STORE_UNAVAILABLE`, with what is still owed, when
 *   the broker stays away
 */
export async function runScenario(options: RunOptions): Promise<RunReport> {
  const run = new Run(options);
  try {
    await run.start();
    return await run.conduct();
  } finally {
    await run.close();
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #startedAt: UtcMillis;
  readonly #devices = new Map<string, MqttDevice>();
  readonly #links: LinkWeather[] = [];
  readonly #proxies = new Map<string, LinkProxy>();
  readonly #exceedances: Exceedances;
  readonly #latency = new Latencies();
  readonly #byDevice = new Map<string, number>();
  readonly #abort = new AbortController();
  readonly #stop: AbortSignal;
  #failure: Promise<never> = new Promise(() => undefined);
  #sent = 0;
  #acknowledged = 0;
  #outstanding = 0;
  #acknowledgedAt = performance.now();
  #settled: (() => void) | undefined;
  #simulatedAt: UtcMillis;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#simulatedAt = options.scenario.from;
    this.#exceedances = new Exceedances(options.scenario.file.expect.alerts);
    const { signal } = options;
    this.#stop = signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
    setMaxListeners(0, this.#stop);
  }

  /** Opens the links and connects the fleet. */
  async start(): Promise<void> {
    const { scenario, url, passwords } = this.#options;
    const { hostname, port, protocol } = new URL(url);
    const missing = scenario.devices.find(({ id }) => !passwords.has(id));
    if (missing !== undefined)
      throw new PantauError('USAGE', `no password for the device ${missing.id}.`, {
        remedy: 'Let pantau simulate register the fleet, or name all of it in the credentials file.',
      });
    for (const site of new Set(scenario.file.links.map((link) => link.site))) {
      const random = namedRandom(scenario.file.seed, `link/${site}`);
      const target = { host: hostname, port: Number(port) || 1883 };
      const proxy = await LinkProxy.open({ target, random });
      this.#proxies.set(site, proxy);
      this.#links.push(new LinkWeather(scenario, site, proxy));
    }
    const refused: Promise<never>[] = [];
    for (const { id, site } of scenario.devices) {
      const proxy = this.#proxies.get(site);
      const device = new MqttDevice({
        id,
        site,
        url: proxy === undefined ? url : `${protocol}//127.0.0.1:${proxy.port}`,
        password: passwords.get(id) ?? '',
      });
      this.#devices.set(id, device);
      refused.push(device.refused);
    }
    this.#failure = Promise.race(refused);
    this.#failure.catch(() => undefined);
  }

  async conduct(): Promise<RunReport> {
    const { scenario, onTruth, onProgress } = this.#options;
    for (const record of truthBefore(scenario)) onTruth?.(record);
    let reported = { acknowledged: 0, at: performance.now() };
    const timer = setInterval(() => {
      const now = performance.now();
      const rate = ((this.#acknowledged - reported.acknowledged) * 1000) / (now - reported.at);
      reported = { acknowledged: this.#acknowledged, at: now };
      onProgress?.(this.#progress(rate));
      this.#checkPatience();
    }, PROGRESS_MS);
    try {
      await Promise.race([this.#failure, this.#handOut()]);
      await Promise.race([this.#failure, this.#allSettled()]);
    } finally {
      clearInterval(timer);
    }
    for (const record of this.#exceedances.end()) onTruth?.(record);
    const complete = !this.#stop.aborted;
    onTruth?.({ type: 'end', messages: this.#sent, complete });
    onProgress?.(this.#progress(0));
    if (complete) await Promise.all([...this.#devices.values()].map((device) => device.end()));
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      byDevice: this.#byDevice,
      latencyMs: this.#latencies(),
      elapsedMs: this.#options.clock.now() - this.#startedAt,
      startedAt: this.#startedAt,
      complete,
    };
  }

  async close(): Promise<void> {
    this.#abort.abort();
    for (const device of this.#devices.values()) device.destroy();
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
  }

  /** Hands out every message when its time has come. */
  async #handOut(): Promise<void> {
    const { scenario, onTruth } = this.#options;
    const edges = powerEdges(scenario);
    for (const due of dueMessages(scenario)) {
      const { device, message } = due;
      while ((edges[0]?.at ?? Infinity) <= message.deliverAt) await this.#apply(edges.shift() as Edge);
      await this.#passTo(message.deliverAt);
      await this.#roomFor();
      if (this.#stop.aborted) return;
      onTruth?.(truthOfMessage(device, message));
      if (!message.isRepeat)
        for (const record of this.#exceedances.add(device.id, message.at, message.truth)) onTruth?.(record);
      this.#send(device, due);
    }
    for (const edge of edges) await this.#apply(edge);
    for (const link of this.#links) link.over();
  }

  async #apply(edge: Edge): Promise<void> {
    await this.#passTo(edge.at);
    const device = this.#devices.get(edge.device);
    if (edge.kind === 'power-on') device?.powerOn();
    else device?.powerOff();
  }

  /** Waits until an instant of the scenario has come. */
  async #passTo(at: UtcMillis): Promise<void> {
    for (const link of this.#links) link.passTo(at);
    this.#simulatedAt = Math.max(this.#simulatedAt, at);
    const wait = this.#dueAt(at) - this.#options.clock.now();
    if (wait > 0) await delay(wait, undefined, { signal: this.#stop }).catch(() => undefined);
  }

  /** When an instant of the scenario is due by the machine's clock: nothing is sent before it was measured. */
  #dueAt(at: UtcMillis): UtcMillis {
    const { scenario, speed } = this.#options;
    const paced = speed === 'max' ? -Infinity : this.#startedAt + (at - scenario.from) / speed;
    return Math.max(paced, at);
  }

  async #roomFor(): Promise<void> {
    const most = Math.max(MIN_OUTSTANDING, OUTSTANDING_PER_DEVICE * this.#devices.size);
    while (this.#outstanding >= most && !this.#stop.aborted) await this.#nextSettled();
  }

  async #allSettled(): Promise<void> {
    while (this.#acknowledged < this.#sent && !this.#stop.aborted) await this.#nextSettled();
  }

  async #nextSettled(): Promise<void> {
    const settled = new Promise<void>((resolve) => (this.#settled = resolve));
    // Aborted in between: an acknowledgement may never come.
    await Promise.race([settled, delay(SECOND, undefined, { signal: this.#stop }).catch(() => undefined)]);
  }

  #send({ id }: SimulatedDevice, { message }: DueMessage): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    // A device without power keeps what it has: it takes no room of those that talk.
    const counts = device.hasPower;
    const paced = this.#options.speed === 'max' ? -Infinity : this.#dueAt(message.deliverAt);
    // From when it was due, not from when this process got round to it: a pause of ours must not flatter the broker.
    const since =
      performance.now() - Math.max(0, this.#options.clock.now() - Math.max(paced, this.#startedAt));
    const dueSince = this.#options.speed === 'max' ? performance.now() : since;
    this.#sent++;
    if (counts) this.#outstanding++;
    void device.publish(message.kind, message.payload).then((isAcknowledged) => {
      if (counts) this.#outstanding--;
      if (isAcknowledged) {
        this.#acknowledged++;
        this.#acknowledgedAt = performance.now();
        this.#byDevice.set(id, (this.#byDevice.get(id) ?? 0) + 1);
        this.#latency.record(performance.now() - dueSince);
      }
      this.#settled?.();
    });
  }

  #checkPatience(): void {
    const { patienceMs = PATIENCE } = this.#options;
    const owed = this.#sent - this.#acknowledged;
    if (owed === 0 || this.#outstanding === 0 || performance.now() - this.#acknowledgedAt < patienceMs)
      return;
    const connected = this.#connected();
    this.#failure = Promise.reject(
      new PantauError(
        'STORE_UNAVAILABLE',
        `the broker has acknowledged nothing for ${Math.round(patienceMs / SECOND)} s: ${owed} of ${this.#sent} messages are owed, ${connected} of ${this.#devices.size} devices are connected.`,
        { remedy: 'Look whether Pantau runs and answers on that address.', transient: true },
      ),
    );
    this.#failure.catch(() => undefined);
    this.#abort.abort();
  }

  #connected(): number {
    let connected = 0;
    for (const device of this.#devices.values()) if (device.isConnected) connected++;
    return connected;
  }

  #latencies(): RunProgress['latencyMs'] {
    const { p50, p99 } = this.#latency.report();
    return { p50, p99 };
  }

  #progress(rate: number): RunProgress {
    const { from, to, devices } = this.#options.scenario;
    const faults: Record<string, number> = {};
    for (const device of devices)
      for (const fault of device.faults)
        if (fault.from <= this.#simulatedAt && this.#simulatedAt < fault.to)
          faults[fault.kind] = (faults[fault.kind] ?? 0) + 1;
    return {
      devices: devices.length,
      connected: this.#connected(),
      simulatedAt: this.#simulatedAt,
      share: Math.min(1, (this.#simulatedAt - from) / (to - from)),
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      rate,
      latencyMs: this.#latencies(),
      faults,
    };
  }
}
