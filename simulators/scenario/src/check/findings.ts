/** How well Pantau saw what was true. */
export interface CheckReport {
  readonly messages: { readonly sent: number; readonly acknowledged: number };
  /** Values that were sent with a true clock, and those of them that are stored. */
  readonly values: { readonly sent: number; readonly stored: number };
  readonly flags: readonly FlagFinding[];
  readonly soundValues: { readonly count: number; readonly flagged: number };
  readonly availability: readonly AvailabilityFinding[];
  readonly alerts: readonly AlertFinding[];
  readonly means: readonly MeanFinding[];
  readonly indices: readonly IndexFinding[];
  /** Of other devices of the programmes. */
  readonly programmes: readonly ProgrammeFinding[];
  /** What the scenario's bounds do not allow, in words. Empty: the check passed. */
  readonly problems: readonly string[];
}

export interface FlagFinding {
  readonly fault: string;
  /** Values that the fault falsified. */
  readonly falsified: number;
  /** Those of them that are flagged suspect or failed. */
  readonly found: number;
  /** Flagged values of its device and parameter while it lasted. */
  readonly flagged: number;
  readonly recall: number;
  readonly precision: number;
}

export interface AvailabilityFinding {
  readonly device: string;
  readonly trueUpSeconds: number;
  readonly seenUpSeconds: number;
  readonly unknownSeconds: number;
  /** Sum of the days' errors in the time that is known. */
  readonly errorSeconds: number;
}

export interface AlertFinding {
  readonly rule: string;
  readonly expected: number;
  readonly raised: number;
  readonly missing: number;
  readonly extra: number;
  /** Largest, in event time. */
  readonly delaySeconds: number;
}

export interface MeanFinding {
  readonly device: string;
  readonly date: string;
  readonly parameter: string;
  readonly trueMean: number;
  readonly seenMean: number | null;
}

export interface IndexFinding {
  readonly device: string;
  readonly trueIndex: number;
  /** Null when Pantau has no index of a station whose scenario covers its 24 hours. */
  readonly seenIndex: number | null;
}

/** What became of what a device of a programme said that Pantau makes no figure of. */
export interface ProgrammeFinding {
  readonly device: string;
  readonly kind: string;
  readonly value: string;
  readonly sent: number;
  /** Refused by name, or kept as it was sent. */
  readonly arrived: number;
  /** The reason of the refusal, or what it is kept as. */
  readonly as: string;
  /** Values that were stored all the same. */
  readonly taken: number;
}
