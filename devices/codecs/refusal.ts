import type { Refusal, RejectionReason } from '#libs/telemetry';

/** A refusal that names the member and says what was expected of it, or what to do at the device. */
export function refusal(reason: RejectionReason, path: string, expectation: string): Refusal {
  // A hostile payload chooses its own names: they may not crowd out the expectation.
  return { reason, detail: `${path.slice(0, 100)}: ${expectation}`.slice(0, 300) };
}
