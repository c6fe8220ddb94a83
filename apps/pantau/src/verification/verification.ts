import { decoderChanges, replayUplinks, type IngestOptions } from '#apps/ingest';
import {
  BucketSource,
  EvidenceReader,
  JournalSource,
  locateDifference,
  verifyEntries,
  verifyFigure,
  verifyStore,
  worstOf,
  type Check,
  type Recomputation,
  type StoreCheck,
} from '#libs/evidence';
import { JournalSettings } from '#libs/identity';
import { periodOf } from '#libs/indicators';
import type { Journal } from '#libs/journal';
import { DAY, defined, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { TimeSeriesStore } from '#libs/timeseries';
import type { Engines } from '../storage/engines.js';
import { otherTests } from './full-check.js';

/** Of a longer period the store is compared by parts. */
const LONGEST_COMPARED = 30 * DAY;

/** A figure computed again from the bytes of its devices, and its period in the store compared with the journal. */
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
  subject: string,
  period: string,
): Promise<Verification> {
  const record = await evidence.get(indicator, subject, period);
  const span = periodOf(evidence.definition(indicator).period, period);
  const devices = (await evidence.subject(indicator, subject)).devices.map(({ id }) => id);
  // Read anew each time: they may have changed since.
  const settings = new JournalSettings(journal);
  const source = new JournalSource(journal, livenessBeat, settings);
  const again = new EvidenceReader(registry, source, settings, evidence.definitions);
  const entriesOf = async (device: string): Promise<Check> => {
    const replayed = await replayUplinks(
      journal,
      { ...ingest, settings },
      device,
      ({ ts }) => ts >= span.from && ts < span.to,
    );
    const testsChange = await otherTests(settings);
    const stream = record.provenance.stream === 'signals' ? 'signals' : 'readings';
    const decoderChange = await decoderChanges(ingest, settings);
    return verifyEntries(stream, device, span, { ...replayed, testsChange, decoderChange }, journal);
  };
  const outcome = await verifyFigure(
    record,
    () => again.get(indicator, subject, period),
    journal,
    devices,
    async () => {
      const checks: Check[] = [];
      for (const device of devices) checks.push(await entriesOf(device));
      return worstOf(checks);
    },
    () => {
      const series = evidence.seriesOf(indicator);
      return locateDifference(record, devices, series, new BucketSource(state), source, journal.shards);
    },
  );
  const stored = await storeCheck(devices, span, journal, store, { now, keptFrom });
  if (stored.result !== 'different' || outcome.result === 'different') return { ...outcome, store: stored };
  return { ...outcome, result: 'different', ...defined({ difference: stored.difference }), store: stored };
}

async function storeCheck(
  devices: readonly string[],
  span: TimeSpan,
  journal: Journal,
  store: Verifying['store'],
  bounds: Pick<Verifying, 'now' | 'keptFrom'>,
): Promise<StoreCheck> {
  if (typeof store === 'string') return { result: 'not_verifiable', reason: store };
  if (span.from < bounds.keptFrom)
    return { result: 'not_verifiable', reason: 'the period is older than store.retention.raw' };
  let first: StoreCheck | undefined;
  for (const device of devices) {
    for (let { from } = span; from < span.to; from += LONGEST_COMPARED) {
      const part = { from, to: Math.min(from + LONGEST_COMPARED, span.to) };
      const check = await verifyStore(device, part, journal, store, bounds);
      if (check.result === 'different') return check;
      if (first?.result !== 'not_verifiable') first = check.result === 'equal' ? (first ?? check) : check;
    }
  }
  return first ?? { result: 'equal' };
}
