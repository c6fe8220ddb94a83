/** How much of something may be kept. */
export interface QuotaLimits {
  /** For one principal: a device or a service account. */
  readonly perPrincipal: number;
  readonly total: number;
}

/** Counts what is kept, by principal and in total, so that nobody can make the process keep more than its share. */
export class Quota {
  readonly #used = new Map<string, number>();
  #total = 0;

  constructor(private readonly limits: QuotaLimits) {}

  get total(): number {
    return this.#total;
  }

  /** Whether so much more may be kept for the principal. */
  fits(principal: string, amount: number): boolean {
    return (
      this.#total + amount <= this.limits.total &&
      (this.#used.get(principal) ?? 0) + amount <= this.limits.perPrincipal
    );
  }

  /** Counts what is kept, whether it fits or not; a negative amount is kept no more. */
  add(principal: string, amount: number): void {
    const used = (this.#used.get(principal) ?? 0) + amount;
    if (used <= 0) this.#used.delete(principal);
    else this.#used.set(principal, used);
    this.#total += amount;
  }
}
