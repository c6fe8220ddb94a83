import type { UtcMillis } from '#libs/kernel';

/** Stream `settings`: what a setting was from some time on, until its next entry. */
export interface SettingsEntry<T = unknown> {
  /**
   * `device/{id}`, `site/{id}`, `access/{id}` of a device that was shut out, `interval/{id}` of one whose interval was corrected,
   * `indicator/{key}`, or a part of the configuration: `quality`, `clock`, `liveness`, `mappings`, `alerts`.
   */
  readonly name: string;
  /** From when it holds; 0: from the beginning. */
  readonly from: UtcMillis;
  /** When it was recorded. */
  readonly at: UtcMillis;
  readonly value: T;
  /** SHA-256, in hexadecimal, of the canonical JSON of the value. */
  readonly digest: string;
  /** In the first entry of a site or device that was not registered before: when it was. */
  readonly since?: UtcMillis;
}
