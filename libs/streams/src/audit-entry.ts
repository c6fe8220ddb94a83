import type { UtcMillis } from '#libs/kernel';

/** Stream `audit`: somebody changed something, or tried to. No entry holds a secret. */
export interface AuditEntry {
  readonly at: UtcMillis;
  readonly by: {
    /**
     * `command`: the command line, where the name is that of the account of the operating system. `device`: one that registered
     * itself. `nobody`: not known.
     */
    readonly kind: 'user' | 'token' | 'command' | 'device' | 'nobody';
    readonly name: string;
  };
  /** The address of the request, or the name of the machine. */
  readonly from: string;
  /** The route, such as `PUT /api/v1/sites/{site}`, or the command, such as `pantau site add`. */
  readonly action: string;
  /** What it was done to. */
  readonly on: Readonly<Record<string, string>>;
  /** What held before and after, where that is known and harmless. */
  readonly before?: unknown;
  readonly after?: unknown;
  /** `unknown`: Pantau was ended amid it, or could not write what came of it; it may have been done. */
  readonly result: 'done' | 'refused' | 'failed' | 'unknown';
  /** The HTTP status, or the exit code of the command; 0 where the result is unknown. */
  readonly status: number;
  /** The code of the error. */
  readonly code?: string;
  /** Refused attempts just before that were too many to be recorded. */
  readonly omitted?: number;
  /** Of the intent that was noted before it was done. */
  readonly intent?: string;
}
