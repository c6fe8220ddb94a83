import type { Registry, SettingsHistory } from '#libs/identity';
import type { QcLimitsFile } from '#libs/quality-control';
import type { Codec, TimePolicy, TopicMappings } from '#libs/telemetry';

export const INGEST_OPTIONS = Symbol('IngestOptions');

export interface IngestOptions {
  readonly registry: Registry;
  /** What held when a message arrived; the registry's history unless somebody checks with the journal's own. */
  readonly settings?: SettingsHistory;
  readonly codecs: ReadonlyMap<string, Codec>;
  readonly mappings: TopicMappings;
  /** A device may have a `maxAge` of its own. */
  readonly timePolicy: TimePolicy;
  /** Limits of the quality tests that differ from the shipped ones. */
  readonly qcLimits: QcLimitsFile | undefined;
  /** Under which conditions ppb become µg/m³: 25 °C and 1 atm, or what the device measured beside the gas. */
  readonly gasConditions: 'reference' | 'measured';
}
