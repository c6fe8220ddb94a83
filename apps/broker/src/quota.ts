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

/** What one connection keeps of a quota. All of it counts; refused is only one that keeps more than a small part. */
export class Share {
  #amount = 0;
  #isOver = false;

  constructor(
    private quota: Quota,
    private principal: string,
    /** Kept whatever the others keep, so that nobody is kept out by those who have used everything. */
    private readonly always: number,
  ) {}

  get amount(): number {
    return this.#amount;
  }

  /** Whether so much more may be kept. */
  fits(more: number): boolean {
    return more <= 0 || this.#amount + more <= this.always || this.quota.fits(this.principal, more);
  }

  /** Counts what is kept now. @returns whether so much may be kept */
  set(amount: number): boolean {
    const more = amount - this.#amount;
    if (this.#isOver || more === 0) return true;
    const fits = this.fits(more);
    this.#amount = amount;
    this.quota.add(this.principal, more);
    return fits;
  }

  /** It is known now whose it is. */
  move(quota: Quota, principal: string): void {
    const amount = this.#amount;
    this.set(0);
    this.quota = quota;
    this.principal = principal;
    this.set(amount);
  }

  /** Nothing is kept any more, and nothing more is counted. */
  end(): void {
    this.set(0);
    this.#isOver = true;
  }
}
