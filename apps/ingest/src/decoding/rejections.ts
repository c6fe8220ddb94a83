import type { JournalRef, Refusal, Rejection, RejectionReason, Uplink } from '#libs/telemetry';

/** A message may hold ten thousand faults. The first ones tell what is wrong; the others are counted. */
const SPELLED_OUT = 20;
/** The whole message stands beside the first fault, its beginning beside the others: or a message fills the disk. */
const EXCERPT_BYTES = 1_000;

/** The entries of `rejected` for what was refused of one message; their counts add up to the number of refusals. */
export function rejectionsOf(uplink: Uplink, ref: JournalRef, refusals: readonly Refusal[]): Rejection[] {
  let isTold = false;
  const entry = ({ reason, detail }: Refusal, count = 1): Rejection => {
    const { receivedAt, site, device, topic, payload } = uplink;
    // What holds no fault is only counted; its bytes stay in the uplink entry.
    const isHarmless = reason === 'nothing_to_keep' || reason === 'repeated';
    const kept = isTold ? payload.subarray(0, EXCERPT_BYTES) : payload;
    isTold ||= !isHarmless;
    return {
      reason,
      detail,
      receivedAt,
      site,
      device,
      topic,
      ...(isHarmless ? {} : { payload: kept }),
      payloadBytes: payload.length,
      count,
      source: { stream: 'uplink', ...ref },
    };
  };
  const more = new Map<RejectionReason, number>();
  for (const { reason } of refusals.slice(SPELLED_OUT)) more.set(reason, (more.get(reason) ?? 0) + 1);
  return [
    ...refusals.slice(0, SPELLED_OUT).map((refusal) => entry(refusal)),
    ...Array.from(more, ([reason, count]) =>
      entry({ reason, detail: `${count} more of this kind in the same message` }, count),
    ),
  ];
}
