import 'reflect-metadata';
import { alertEventOf, rulesFileSchema, ruleText, type AlertEvent, type AlertRule } from '#libs/alerting';
import { Registry } from '#libs/identity';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { createStage, lagOf } from '#libs/journal-transport';
import { MINUTE, seededRandom } from '#libs/kernel';
import { type Observation } from '#libs/telemetry';
import { temporaryFolder, waitUntil } from '#libs/testing';
import { createHash } from 'node:crypto';
import { AlertsModule } from './alerts.module.js';

const clock = { now: () => 1_000 };
const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
const PLACE = { site: 'betung', device: 'udara-01' };

const [RULE] = rulesFileSchema.parse({
  rules: [
    {
      ...{ id: 'pm25', title: { id: 'Tinggi', en: 'High' }, parameter: 'pm25', severity: 'info' },
      ...{ raise: 100, clear: 80, for: '2m' },
    },
  ],
}).rules as [AlertRule];
const VERSION = createHash('sha256').update(ruleText(RULE)).digest('hex').slice(0, 12);

/** The stage on a journal of its own. */
class Fixture implements AsyncDisposable {
  readonly #folder = temporaryFolder('alerts');
  readonly state = LmdbStateStore.open(this.#folder.path);
  journal!: LmdbJournal;
  #close = async (): Promise<void> => undefined;

  async open(): Promise<this> {
    this.journal = await LmdbJournal.open({ state: this.state, clock, shards: 1 });
    const registry = new Registry(this.state);
    await registry.putSite({ id: 'betung', name: 'Betung' });
    await registry.putDevice({ id: 'udara-01', site: 'betung', kind: 'air', name: 'U', intervalMs: MINUTE });
    const { journal, state } = this;
    const app = await createStage(AlertsModule.register([RULE], registry), {
      ...{ stage: 'alerts', journal, state, clock, random: seededRandom(1), logger: silent },
    });
    await app.listen();
    this.#close = () => app.close();
    return this;
  }

  async read(values: readonly (readonly [minute: number, pm25: number])[]): Promise<void> {
    const data = values.map(([minute, value]): Observation => ({
      ...{ ...PLACE, ts: minute * MINUTE, receivedAt: minute * MINUTE, uplink: { shard: 0, offset: 0 } },
      readings: [{ parameter: 'pm25', value, flag: 1 }],
    }));
    await this.journal.append(
      'readings',
      data.map((one) => ({ key: PLACE.device, data: one })),
    );
    await waitUntil(
      'alerts have read it',
      async () => (await lagOf(this.journal, 'alerts', 'readings')) === 0,
    );
  }

  async events(): Promise<AlertEvent[]> {
    const { next } = await this.journal.extent('alerts', 0);
    const entries = next === 0 ? [] : await this.journal.read('alerts', 0, 0, next);
    return entries.map(({ data }) => alertEventOf(data));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await this.journal.close();
    await this.state.close();
    this.#folder[Symbol.dispose]();
  }
}

describe('the alerts stage', () => {
  it('appends steps with subject, kind and what the kind says', async () => {
    await using fixture = await new Fixture().open();
    await fixture.read([
      [1, 120],
      [3, 130],
    ]);
    const [pending, firing] = await fixture.events();
    expect(firing).toEqual({
      ...{ alert: `pm25/udara-01/${MINUTE}`, rule: 'pm25', ruleVersion: VERSION, kind: 'threshold' },
      ...{ severity: 'info', title: { id: 'Tinggi', en: 'High' }, subject: PLACE },
      ...{ phase: 'firing', at: 3 * MINUTE, since: MINUTE, value: 130 },
      detail: {
        ...{ parameter: 'pm25', raise: 100, clear: 80 },
        evidence: [
          { ts: MINUTE, value: 120 },
          { ts: 3 * MINUTE, value: 130 },
        ],
      },
    });
    expect(pending).toMatchObject({ phase: 'pending', value: 120 });
  });

  it('goes on with the states and after the entries of a version that knew thresholds alone', async () => {
    await using fixture = await new Fixture().open();
    // As that version stored them: firing since the first minute.
    const key = `pm25/${VERSION}`;
    const value = [[key, 2, 3 * MINUTE, MINUTE, MINUTE, 120]];
    await fixture.state.write([{ namespace: 'alerts/device-states', key: PLACE.device, value }]);
    const flat = {
      ...{
        kind: 'firing',
        at: 3 * MINUTE,
        since: MINUTE,
        value: 130,
        evidence: [{ ts: MINUTE, value: 120 }],
      },
      ...{ alert: `pm25/udara-01/${MINUTE}`, rule: 'pm25', ruleVersion: VERSION, severity: 'info' },
      ...{ title: { id: 'Tinggi', en: 'High' }, ...PLACE, parameter: 'pm25', raise: 100, clear: 80 },
    } as const;
    await fixture.journal.append('alerts', [{ key: PLACE.device, data: flat }]);
    await fixture.read([[4, 70]]);
    const [firing, resolved, ...more] = await fixture.events();
    expect(more).toEqual([]);
    expect(firing).toMatchObject({ phase: 'firing', subject: PLACE, detail: { raise: 100 } });
    expect(resolved).toMatchObject({ phase: 'resolved', alert: firing?.alert, since: MINUTE, value: 70 });
  });
});
