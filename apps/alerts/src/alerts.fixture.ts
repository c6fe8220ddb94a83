import 'reflect-metadata';
import { alertEventOf, type AlertEvent, type AlertRule } from '#libs/alerting';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { Registry, type DeviceService } from '#libs/identity';
import { type NewEntry, lagOf } from '#libs/journal';
import { createStage } from '#libs/journal-transport';
import { messageOf, MINUTE, seededRandom } from '#libs/kernel';
import { beatKeys, type Observation } from '#libs/telemetry';
import { temporaryFolder, waitUntil, silentLogger } from '#libs/testing';
import { AlertsModule } from './alerts.module.js';

const clock = { now: () => 1_000 };
export const PLACE = { site: 'betung', device: 'udara-01' };

/** The stage on a journal of its own, with one device. */
export class AlertsFixture implements AsyncDisposable {
  readonly #folder = temporaryFolder('alerts');
  readonly state = LmdbStateStore.open(this.#folder.path);
  readonly registry = new Registry(this.state);
  /** What could not be read within a row. */
  readonly unreadable: string[] = [];
  journal!: LmdbJournal;
  #close = async (): Promise<void> => undefined;

  async open(rules: readonly AlertRule[], shards = 1): Promise<this> {
    const { state, registry } = this;
    this.journal = await LmdbJournal.open({ state, clock, shards });
    const { journal } = this;
    await registry.putSite({ id: 'betung', name: 'Betung' });
    await registry.putDevice({ id: 'udara-01', site: 'betung', kind: 'air', name: 'U', intervalMs: MINUTE });
    const onUnreadable = (namespace: string, key: string, cause: unknown): void => {
      this.unreadable.push(`${namespace}/${key}: ${messageOf(cause)}`);
    };
    const app = await createStage(AlertsModule.register({ rules, registry, journal, onUnreadable }), {
      ...{ stage: 'alerts', journal, state, clock, random: seededRandom(1), logger: silentLogger },
    });
    await app.listen();
    this.#close = () => app.close();
    return this;
  }

  /** Has the stage judge values of PM2.5; those of which the device itself is not sure are doubtful. */
  async read(
    values: readonly (readonly [minute: number, pm25: number, isDoubtful?: boolean])[],
    device = PLACE.device,
  ): Promise<void> {
    const entries = values.map(([minute, value, isDoubtful = false]): NewEntry<Observation> => {
      const ts = minute * MINUTE;
      const at = { ...PLACE, device, ts, receivedAt: ts, uplink: { shard: 0, offset: 0 } };
      const judged = isDoubtful ? ({ flag: 3, failed: ['device'] } as const) : ({ flag: 1 } as const);
      return { key: device, data: { ...at, readings: [{ parameter: 'pm25', value, ...judged }] } };
    });
    await this.journal.append('readings', entries);
    await this.#caughtUp('readings');
  }

  /** Tells the stage that it is so late, in every shard. @param heardSince - since when devices could be heard */
  async pass(minute: number, heardSince = 0): Promise<void> {
    const { shards } = this.journal;
    const uplinks = Array.from({ length: shards }, () => 0);
    const time = { heardSince: heardSince * MINUTE, uplinks };
    const data = { component: 'broker', run: 'r', kind: 'beat', at: minute * MINUTE, time } as const;
    await this.journal.append(
      'liveness',
      beatKeys(shards).map((key) => ({ key, data })),
    );
    await this.#caughtUp('liveness');
  }

  /** Takes the device out of service at that minute, or back into it. */
  async serve(service: DeviceService, minute: number): Promise<void> {
    const { journal, state } = this;
    await new Registry(state, { journal, clock: { now: () => minute * MINUTE } }).putService(
      PLACE.device,
      service,
    );
  }

  async #caughtUp(stream: 'readings' | 'liveness'): Promise<void> {
    await waitUntil('alerts have read it', async () => (await lagOf(this.journal, 'alerts', stream)) === 0);
  }

  /** By shard, in the order in which they came. */
  async events(): Promise<AlertEvent[]> {
    const events: AlertEvent[] = [];
    for (let shard = 0; shard < this.journal.shards; shard++) {
      const { next } = await this.journal.extent('alerts', shard);
      const entries = next === 0 ? [] : await this.journal.read('alerts', shard, 0, next);
      events.push(...entries.map(({ data }) => alertEventOf(data)));
    }
    return events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await this.journal.close();
    await this.state.close();
    this.#folder[Symbol.dispose]();
  }
}
