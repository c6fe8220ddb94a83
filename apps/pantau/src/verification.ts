import { decoderChanges, replayUplinks, type IngestOptions } from '#apps/ingest';
import {
  BucketSource,
  EvidenceReader,
  JournalSource,
  locateDifference,
  verifyEntries,
  verifyFigure,
  verifyStore,
  type Recomputation,
  type StoreCheck,
} from '#libs/evidence';
import { JournalSettings } from '#libs/identity';
import { defined, localDaySpan, type Millis, type UtcMillis } from '#libs/kernel';
import type { TimeSeriesStore } from '#libs/timeseries';
import type { Engines } from './engines.js';
import { judgedByTheseTests } from './full-check.js';

/** A figure computed again from the bytes of its device, and the day in the store compared with the journal. */
export type Verification = Recomputation & { readonly store: StoreCheck };

/** With what is verified. */
export interface Verifying {
  readonly engines: Pick<Engines, 'evidence' | 'journal' | 'registry' | 'state'>;
  readonly ingest: IngestOptions;
  readonly livenessBeat: Millis;
  /** A text says why there is none. */
  readonly store: Pick<TimeSeriesStore, 'query'> | string;
  readonly now: UtcMillis;
  /** Older readings are not in the store, by its retention. */
  readonly keptFrom: UtcMillis;
}

/**
 * Goes the whole way from the bytes to the figure and the store. Nothing is read from the state but what is compared.
 *
 * @throws PantauError as {@link EvidenceReader.get}
 */
export async function verify(
  { engines: { evidence, journal, registry, state }, ingest, livenessBeat, store, now, keptFrom }: Verifying,
  indicator: string,
  device: string,
  date: string,
): Promise<Verification> {
  const record = await evidence.get(indicator, device, date);
  const span = localDaySpan(date) ?? { from: 0, to: 0 };
  // Read anew each time: they may have changed since.
  const settings = new JournalSettings(journal);
  const source = new JournalSource(journal, livenessBeat, settings);
  const outcome = await verifyFigure(
    record,
    () => new EvidenceReader(registry, source, settings, evidence.definitions).get(indicator, device, date),
    journal,
    async () => {
      const again = await replayUplinks(
        journal,
        { ...ingest, settings },
        device,
        ({ ts }) => ts >= span.from && ts < span.to,
      );
      const sameTests = await judgedByTheseTests(settings);
      const stream = record.provenance.stream === 'signals' ? 'signals' : 'readings';
      const decoderChange = await decoderChanges(ingest, settings);
      return verifyEntries(stream, device, date, { ...again, sameTests, decoderChange }, journal);
    },
    () =>
      locateDifference(record, evidence.seriesOf(indicator), new BucketSource(state), source, journal.shards),
  );
  const stored: StoreCheck =
    typeof store === 'string'
      ? { result: 'not_verifiable', reason: store }
      : span.from < keptFrom
        ? { result: 'not_verifiable', reason: 'the day is older than store.retention.raw' }
        : await verifyStore(device, span, journal, store, { now, keptFrom });
  if (stored.result !== 'different' || outcome.result === 'different') return { ...outcome, store: stored };
  return { ...outcome, result: 'different', ...defined({ difference: stored.difference }), store: stored };
}
