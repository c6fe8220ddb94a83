import { base } from '../core/base';
import { clock } from '../core/clock.svelte';
import { version } from '../core/version.svelte';
import { request } from '../api/call';
import { epoch } from '../api/resource.svelte';
import { session } from '../api/session.svelte';
import { leadOne } from './leader';
import { EventReader, type StreamEvent } from './sse';

export type LiveTopic = 'readings' | 'presence' | 'alerts' | 'figures' | 'commands';
type Handler = (topic: LiveTopic, data: unknown) => void;

/** So long without a word, and it is asked whether Pantau is still there. */
const QUIET = 6_000;
/** The stream says a word every 15 seconds; one that says none for so long is dead, though Pantau answers. */
const DEAD = 40_000;
/** It answers within this, or the connection is lost: 12 s after the last word at most. */
const ANSWERS_WITHIN = 5_000;
const PAUSES = [1_000, 2_000, 5_000];

/** What the tab that leads tells the others. */
interface Told {
  readonly kind: 'event' | 'word' | 'refused';
  readonly event?: StreamEvent;
}

/** What happens, as it happens: one stream for all tabs of the browser, which goes on behind the last event that was seen. */
class Live {
  #isLost = $state(false);
  #heardAt = Date.now();
  #wordAt = Date.now();
  #lastId = '';
  #asking = false;
  readonly #handlers = new Map<Handler, readonly LiveTopic[]>();
  readonly #tabs = new BroadcastChannel('pantau-live');
  #cut = new AbortController();

  /** Nothing comes: what is shown grows old. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Calls back with each event of some topics. @returns ends that */
  on(topics: readonly LiveTopic[], handler: Handler): () => void {
    this.#handlers.set(handler, topics);
    return () => this.#handlers.delete(handler);
  }

  start(): () => void {
    this.#tabs.onmessage = ({ data }: MessageEvent<Told>) => this.#told(data);
    const end = leadOne((signal) => this.#lead(signal));
    const timer = setInterval(() => void this.#look(), 1_000);
    const awake = clock.onWake(() => this.#cut.abort());
    return () => {
      end();
      awake();
      clearInterval(timer);
      this.#tabs.onmessage = null;
    };
  }

  async #lead(signal: AbortSignal): Promise<void> {
    let failures = 0;
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      this.#cut = new AbortController();
      try {
        await this.#stream(AbortSignal.any([signal, this.#cut.signal]));
        failures = 0;
      } catch {
        failures++;
      }
      if (isOver()) return;
      // A server that stops ends the stream in order, and is away for a while all the same.
      if (session.state === 'open') void this.#look(true);
      await new Promise((resolve) => setTimeout(resolve, PAUSES[Math.min(failures, PAUSES.length - 1)]));
      while (session.state !== 'open' && !isOver()) await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async #stream(signal: AbortSignal): Promise<void> {
    const headers: HeadersInit = this.#lastId === '' ? {} : { 'last-event-id': this.#lastId };
    const response = await fetch(`${base}api/v1/live`, { signal, headers, cache: 'no-store' });
    // Each tab has a page of its own to keep for who signs in again.
    if (response.status === 401) this.#tell({ kind: 'refused' });
    if (!response.ok || response.body === null) throw new Error(String(response.status));
    const reader = new EventReader();
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await pieces.read();
      if (done) return;
      this.#tell({ kind: 'word' });
      for (const event of reader.read(value)) this.#tell({ kind: 'event', event });
    }
  }

  #tell(told: Told): void {
    this.#tabs.postMessage(told);
    this.#told(told);
  }

  #told({ kind, event }: Told): void {
    // What was missed is read again before anything follows from it.
    if (event?.type === 'lost') epoch.next();
    this.#heard();
    if (kind === 'refused') {
      void session.start();
      return;
    }
    this.#wordAt = Date.now();
    clock.heard();
    if (event === undefined) return;
    if (event.id !== '') this.#lastId = event.id;
    // Pantau may be another one than before.
    if (event.type === 'start') void version.look();
    if (event.data === '' || event.type === 'start' || event.type === 'lost') return;
    const topic = event.type as LiveTopic;
    const data: unknown = JSON.parse(event.data);
    for (const [handler, topics] of this.#handlers) if (topics.includes(topic)) handler(topic, data);
  }

  #heard(): void {
    this.#heardAt = Date.now();
    if (!this.#isLost) return;
    this.#isLost = false;
    // Read again what is shown: events tell of changes, not of what was there before.
    epoch.next();
  }

  /** Whether Pantau is still there, where nothing has told so for a while. */
  async #look(now = false): Promise<void> {
    if (Date.now() - this.#wordAt > DEAD) {
      this.#wordAt = Date.now();
      this.#cut.abort();
    }
    if (this.#asking || (!now && Date.now() - this.#heardAt < QUIET)) return;
    this.#asking = true;
    try {
      const signal = AbortSignal.timeout(ANSWERS_WITHIN);
      const { ok, status } = await request(`${base}api/v1/page`, { signal, cache: 'no-store' });
      // A proxy may answer for a Pantau that is away.
      if (!ok) throw new Error(String(status));
      this.#heard();
    } catch {
      this.#isLost = true;
      // A connection that hangs is not waited for.
      this.#cut.abort();
    } finally {
      this.#asking = false;
    }
  }
}

export const live = new Live();
