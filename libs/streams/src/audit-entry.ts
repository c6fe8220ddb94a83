import type { UtcMillis } from '#libs/kernel';

/** Stream `audit`: somebody changed something, or tried to. No entry holds a secret. */
export interface AuditEntry {
  readonly at: UtcMillis;
  readonly by: {
    /** `command`: the command line, where the name is that of the account of the operating system. `nobody`: not known. */
    readonly kind: 'user' | 'token' | 'command' | 'nobody';
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
  readonly result: 'done' | 'refused' | 'failed';
  /** The HTTP status, or the exit code of the command. */
  readonly status: number;
  /** The code of the error. */
  readonly code?: string;
  /** Attempts of nobody known just before that were too many to be recorded. */
  readonly omitted?: number;
}
