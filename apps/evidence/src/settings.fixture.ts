import 'reflect-metadata';
import {
  BucketSource,
  EvidenceReader,
  indicatorCatalogue,
  JournalSource,
  verifyFigure,
} from '#libs/evidence';
import { JournalSettings, Registry, type Device } from '#libs/identity';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { createStage } from '#libs/journal-transport';
import { lagOf } from '#libs/journal';
import type { IndicatorDefinition } from '#libs/indicators';
import { HOUR, localDaySpan, MINUTE, seededRandom } from '#libs/kernel';
import type { StreamName, StreamTypes } from '#libs/streams';
import { temporaryFolder, waitUntil, silentLogger } from '#libs/testing';
import { EvidenceModule } from './evidence.module.js';

export const DATE = '2015-12-07';
export const { from, to } = localDaySpan(DATE)!;
export const AIR: Device = {
  id: 'udara-01',
  site: 'betung',
  kind: 'air',
  name: 'U',
  intervalMs: 15 * MINUTE,
};
export const CAMERA: Device = { id: 'cctv-01', site: 'betung', kind: 'camera', name: 'K', intervalMs: HOUR };

/** The evidence stage on a folder of its own, with a clock that is set. */
export class Fixture implements AsyncDisposable {
  readonly #folder = temporaryFolder('settings');
  now = from;
  state!: LmdbStateStore;
  journal!: LmdbJournal;
  registry!: Registry;
  #close = async (): Promise<void> => undefined;

  constructor(public definitions: readonly IndicatorDefinition[] = indicatorCatalogue()) {}

  async open(beat = MINUTE): Promise<this> {
    const clock = { now: () => this.now };
    this.state = LmdbStateStore.open(this.#folder.path);
    this.journal = await LmdbJournal.open({ state: this.state, clock, shards: 1 });
    this.registry = new Registry(this.state, { journal: this.journal, clock });
    await this.registry.settings.declare('liveness', beat);
    const stage = await createStage(EvidenceModule.register(beat, this.registry), {
      ...{ stage: 'evidence', journal: this.journal, state: this.state, clock },
      ...{ random: seededRandom(1), logger: silentLogger },
    });
    await stage.listen();
    this.#close = async () => {
      await stage.close();
      await this.journal.close();
      await this.state.close();
    };
    return this;
  }

  async restart(beat?: number): Promise<void> {
    await this.#close();
    await this.open(beat);
  }

  async append<S extends StreamName>(
    stream: S,
    key: string,
    entries: readonly StreamTypes[S][],
  ): Promise<void> {
    await this.journal.append(
      stream,
      entries.map((data) => ({ key, data })),
    );
    await waitUntil('the stage caught up', async () => (await lagOf(this.journal, 'evidence', stream)) === 0);
  }

  reader(): EvidenceReader {
    return new EvidenceReader(
      ...([this.registry, new BucketSource(this.state), this.registry.settings, this.definitions] as const),
    );
  }

  /** From the journal alone. */
  recomputation(): EvidenceReader {
    const settings = new JournalSettings(this.journal);
    const source = new JournalSource(this.journal, MINUTE, settings);
    return new EvidenceReader(this.registry, source, settings, this.definitions);
  }

  async verify(indicator: string, subject: string, period = DATE): Promise<ReturnType<typeof verifyFigure>> {
    const record = await this.reader().get(indicator, subject, period);
    const devices = (await this.reader().subject(indicator, subject)).devices.map(({ id }) => id);
    const again = () => this.recomputation().get(indicator, subject, period);
    return verifyFigure(record, again, this.journal, devices);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    this.#folder[Symbol.dispose]();
  }
}

export async function withAir(): Promise<Fixture> {
  const fixture = await new Fixture().open();
  await fixture.registry.putSite({ id: 'betung', name: 'Betung' });
  await fixture.registry.putDevice(AIR);
  await fixture.registry.putDevice(CAMERA);
  return fixture;
}
