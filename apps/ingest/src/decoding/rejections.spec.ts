import type { Refusal, Uplink } from '#libs/telemetry';
import { rejectionsOf } from './rejections.js';

const uplink: Uplink = {
  site: 'betung',
  device: 'udara-01',
  kind: 'telemetry',
  topic: 'pantau/v1/betung/udara-01/telemetry',
  payload: Buffer.alloc(50_000, 'x'),
  receivedAt: 1,
  qos: 1,
  messageId: 1,
  dup: false,
  session: 's',
  will: false,
};
const ref = { shard: 0, offset: 7 };
const faults = (reason: Refusal['reason'], count: number): Refusal[] =>
  Array.from({ length: count }, (_, i) => ({ reason, detail: `${reason} ${i}` }));

describe('rejectionsOf', () => {
  it('keeps the whole message once, and its beginning beside every further fault', () => {
    const found = rejectionsOf(uplink, ref, faults('number_as_text', 3));
    expect(found.map(({ payload }) => payload?.length)).toEqual([50_000, 1_000, 1_000]);
    for (const { payloadBytes, source } of found) {
      expect(payloadBytes).toBe(50_000);
      expect(source).toEqual({ stream: 'uplink', shard: 0, offset: 7 });
    }
  });

  it('spells out the first faults and counts the others, so that the sum is right', () => {
    const refusals = [
      ...faults('unknown_parameter', 15),
      ...faults('not_finite', 9),
      ...faults('too_late', 2),
    ];
    const found = rejectionsOf(uplink, ref, refusals);
    expect(found).toHaveLength(22);
    expect(found.slice(20).map(({ reason, detail, count }) => [reason, detail, count])).toEqual([
      ['not_finite', '4 more of this kind in the same message', 4],
      ['too_late', '2 more of this kind in the same message', 2],
    ]);
    expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(refusals.length);
  });

  it('keeps no bytes of what holds no fault, and all of them beside the first fault after it', () => {
    const found = rejectionsOf(uplink, ref, [
      ...faults('nothing_to_keep', 1),
      ...faults('too_late', 1),
      ...faults('repeated', 1),
    ]);
    expect(found.map(({ payload }) => payload?.length)).toEqual([undefined, 50_000, undefined]);
  });
});
