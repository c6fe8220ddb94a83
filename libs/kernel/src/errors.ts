/** What a {@link PantauError} says beside its message. */
export interface PantauErrorOptions extends ErrorOptions {
  /** What the reader can do about it, one imperative sentence. */
  readonly remedy?: string;
  /** True when the same call may succeed later without a change by an operator (a store that is away, a lock). */
  readonly transient?: boolean;
  /** What is wrong with which member of the input, for who shows it beside the member. */
  readonly fields?: readonly FieldProblem[];
}

/** What is wrong with a member of the input. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
  /** The same in Indonesian, where it was made of a schema. */
  readonly indonesian?: string;
}

/**
 * The one error class of Pantau. Its `code` is stable and listed in `docs/error-codes.md`; codes are API and
 * never reused. `transient` decides policy: transient failures are retried for ever, others are isolated.
 */
export class PantauError extends Error {
  override readonly name = 'PantauError';
  readonly remedy: string | undefined;
  readonly transient: boolean;
  readonly fields: readonly FieldProblem[] | undefined;

  constructor(
    readonly code: ErrorCode,
    readonly detail: string,
    options: PantauErrorOptions = {},
  ) {
    super(`${code}: ${detail}${options.remedy === undefined ? '' : ` ${options.remedy}`}`, options);
    this.remedy = options.remedy;
    this.transient = options.transient ?? false;
    this.fields = options.fields;
  }
}

/** Every code that Pantau throws; the page `docs/error-codes.md` holds cause and remedy of each. */
export const ERROR_CODES = [
  'CONFIG_INVALID',
  'CONFIG_UNREADABLE',
  'DATA_DIR_UNUSABLE',
  'DATA_DIR_BUSY',
  'PORT_IN_USE',
  'JOURNAL_CLOSED',
  'JOURNAL_CORRUPT',
  'JOURNAL_FULL',
  'JOURNAL_WRITE_FAILED',
  'JOURNAL_ENTRY_TOO_LARGE',
  'CURSOR_CONFLICT',
  'CURSOR_LOST_ENTRIES',
  'STATE_CLOSED',
  'STATE_VALUE_INVALID',
  'BROKER_UNAVAILABLE',
  'SHARD_CLAIMED',
  'INTAKE_UNAVAILABLE',
  'STORE_UNAVAILABLE',
  'STORE_REFUSED',
  'STORE_CONFIG',
  'STORE_QUESTION',
  'OUT_OF_RANGE',
  'DEVICE_EXISTS',
  'DEVICE_UNKNOWN',
  'SITE_UNKNOWN',
  'TOKEN_INVALID',
  'SIGN_IN_REFUSED',
  'SECOND_FACTOR_NEEDED',
  'SIGN_ON_UNAVAILABLE',
  'CROSS_SITE_REFUSED',
  'LINK_INVALID',
  'USER_UNKNOWN',
  'LAST_ADMINISTRATOR',
  'NOT_FOUND',
  'ACCOUNT_UNKNOWN',
  'PROVISIONING_REFUSED',
  'OVERLOADED',
  'CHECK_RUNNING',
  'CHECK_FAILED',
  'CHANGED_MEANWHILE',
  'IDEMPOTENCY_CONFLICT',
  'IDEMPOTENCY_KEY_REUSED',
  'FORBIDDEN',
  'INPUT_LIMIT',
  'USAGE',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** True for an error that retrying alone may cure. */
export function isTransient(error: unknown): boolean {
  return error instanceof PantauError && error.transient;
}

/** The message of anything that was thrown, with the messages of its causes. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined
    ? error.message
    : `${error.message} (caused by: ${messageOf(error.cause)})`;
}

/** Compile-time proof that a union was handled in full. */
export function assertNever(value: never): never {
  throw new TypeError(`unhandled case: ${JSON.stringify(value)}`);
}
