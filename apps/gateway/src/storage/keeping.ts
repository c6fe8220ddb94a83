import type { Millis } from '#libs/kernel';
import type { StreamName } from '#libs/streams';

/** How long Pantau is configured to keep what it has. */
export interface Keeping {
  /** `journal.retention`: of the streams that it names; others are kept for ever. */
  readonly journal: Readonly<
    Partial<
      Record<
        StreamName,
        {
          readonly maxAge?: Millis | undefined;
          readonly maxBytes?: number | undefined;
          readonly unread: 'wait' | 'drop';
        }
      >
    >
  >;
  /** `store.retention`; infinite for what is kept for ever. */
  readonly store: { readonly raw: Millis; readonly hour: Millis; readonly day: Millis };
}
