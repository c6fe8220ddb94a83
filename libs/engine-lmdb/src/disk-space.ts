import { statfs } from 'node:fs/promises';
import type { Millis } from '#libs/kernel';
import type { JournalSpace } from '#libs/journal';

export interface DiskUsage {
  /** What this process may still write on the file system that holds the journal. */
  readonly freeBytes: number;
  /** Space inside the journal's own file that removed entries left behind. */
  readonly reusableBytes: number;
  /** Size of the file system. */
  readonly totalBytes: number;
}

export interface DiskSpaceOptions {
  measure(): Promise<DiskUsage>;
  /** The reserve, bytes; by default {@link DEFAULT_RESERVE}, at most {@link DEFAULT_RESERVE_SHARE} of the file system. */
  readonly minFree?: number | undefined;
  /** A time that only grows: the wall clock may be set back, and then nobody would look for hours. */
  readonly elapsed?: () => Millis;
}

/**
 * Enough for the stages to work off hours of backlog after the last accepted message, and small beside any disk that
 * is meant to hold months of readings. The share keeps the default from taking a small disk (a router, a test) whole.
 */
export const DEFAULT_RESERVE = 512 * 1024 * 1024;
export const DEFAULT_RESERVE_SHARE = 0.1;
const LOOK_EVERY_MS = 1_000;
/** Once short, this much more than the reserve has to be free: at the very limit it would start and stop all day. */
const RESUME_FACTOR = 1.1;
/** With less free than this, an error that does not tell its reason was for want of space. */
const NEARLY_NOTHING_BYTES = 1024 * 1024;
const NO_SPACE = new Set([28 /* ENOSPC */, 122 /* EDQUOT */]);
/** What LMDB says of a write that fitted in part, and of whatever follows a failed write in its transaction. */
const WITHOUT_REASON = new Set([5 /* EIO */, -30_782 /* MDB_BAD_TXN */]);
const UNKNOWN: DiskUsage = { freeBytes: Infinity, reusableBytes: 0, totalBytes: Infinity };

/**
 * Whether there is space for new input. Looked at while appends happen, at most about once a second, and never waited
 * for by an append: in between the bytes that were handed in are taken off.
 */
export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  readonly #elapsed: () => Millis;
  #usage: DiskUsage = UNKNOWN;
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;
  #handedIn = 0;
  #accepting = true;
  /** What was there when the disk refused a write: with no more than that it would refuse again. */
  #refusedAt: number | undefined;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  /** Whether new input may come, as far as is known now. Begins a look when the last one is too old. */
  accepts(): boolean {
    if (this.#isStale) void this.look();
    return this.#accepting;
  }

  /** Takes bytes off until the next look. */
  handIn(bytes: number): void {
    this.#handedIn += bytes;
    this.#judge();
  }

  /** A write went through: whatever was refused before may be tried again. */
  written(): void {
    if (this.#refusedAt === undefined) return;
    this.#refusedAt = undefined;
    this.#judge();
  }

  /** A write failed. @returns whether for want of space */
  async failed(code: unknown): Promise<boolean> {
    await this.look();
    const { freeBytes } = this.#usage;
    const isSpace =
      NO_SPACE.has(Number(code)) || (WITHOUT_REASON.has(Number(code)) && freeBytes < NEARLY_NOTHING_BYTES);
    // Without a figure there is nothing to compare with, and every append is a try.
    if (isSpace && this.#usage !== UNKNOWN) {
      this.#refusedAt = this.#available;
      this.#judge();
    }
    return isSpace;
  }

  async report(): Promise<JournalSpace> {
    if (this.#isStale) await this.look();
    return {
      freeBytes: Math.max(0, this.#available),
      minFreeBytes: this.#minFree,
      accepting: this.#accepting,
    };
  }

  async look(): Promise<void> {
    this.#looking ??= this.#measure().finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  get #isStale(): boolean {
    return this.#elapsed() - this.#lookedAt >= LOOK_EVERY_MS;
  }

  get #available(): number {
    return this.#usage.freeBytes + this.#usage.reusableBytes - this.#handedIn;
  }

  get #minFree(): number {
    const { minFree } = this.#options;
    return minFree ?? Math.min(DEFAULT_RESERVE, this.#usage.totalBytes * DEFAULT_RESERVE_SHARE);
  }

  async #measure(): Promise<void> {
    this.#lookedAt = this.#elapsed();
    const handedInBefore = this.#handedIn;
    try {
      this.#usage = await this.#options.measure();
    } catch {
      // Not every file system tells. Then the disk itself has the last word, and its refusal is handled as well.
      this.#usage = UNKNOWN;
    }
    this.#handedIn -= handedInBefore;
    this.#judge();
  }

  #judge(): void {
    const available = this.#available;
    const needed = this.#minFree * (this.#accepting ? 1 : RESUME_FACTOR);
    this.#accepting = available >= needed && (this.#refusedAt === undefined || available > this.#refusedAt);
  }
}

/** What the system says of a file system. */
export async function measure(folder: string): Promise<Omit<DiskUsage, 'reusableBytes'>> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
