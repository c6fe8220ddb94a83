import { MINUTE } from '#libs/kernel';
import type { Rejection, RejectionReason } from '#libs/telemetry';
import { NO_READINGS, withReadings } from './latest-readings-form.js';
import { lastValueAt, nothingReadOf, withRejection, type Unread } from './nothing-read.js';

const T0 = Date.UTC(2026, 0, 2);
const NODE = { kind: 'air', intervalMs: 10 * MINUTE } as const;
let offset = 0;

function rejection(minute: number, reason: RejectionReason, more: Partial<Rejection> = {}): Rejection {
  const source = { stream: 'uplink', shard: 0, offset: ++offset };
  return { reason, detail: `why ${reason}`, receivedAt: T0 + minute * MINUTE, count: 1, source, ...more };
}

/** What is known after all of them. */
function after(...rejections: readonly Rejection[]): Unread | undefined {
  return rejections.reduce<Unread | undefined>((unread, each) => withRejection(unread, each), undefined);
}

describe('a device that reports and is not read', () => {
  it('is told at its first message, with the members that it names and what to do', () => {
    const detail = 'decoded_payload.soil: expected a value under a name that the page of the codec lists';
    expect(
      nothingReadOf(NODE, after(rejection(0, 'unknown_parameter', { detail, topic: 'v3/x' })), undefined),
    ).toEqual({
      reason: 'unknown_parameter',
      detail,
      topic: 'v3/x',
      since: T0,
      at: T0,
      messages: 1,
      message: expect.stringMatching(/tidak ada yang terbaca.* nothing is read/),
      remedy: expect.stringMatching(/Ganti nama.* \/ Rename/),
    });
  });

  it('counts messages, not what is refused of each', () => {
    const first = rejection(0, 'unknown_unit');
    const unread = after(first, { ...first, reason: 'not_finite' }, rejection(10, 'unknown_unit'));
    expect(unread).toMatchObject({ messages: 2, since: T0, at: T0 + 10 * MINUTE, reason: 'unknown_unit' });
  });

  it('is no matter while values come, as of a message that is read in part', () => {
    const unread = after(rejection(60, 'unknown_unit'));
    expect(nothingReadOf(NODE, unread, T0 + 60 * MINUTE)).toBeUndefined();
    expect(nothingReadOf(NODE, unread, T0 + 31 * MINUTE)).toBeUndefined();
    expect(nothingReadOf(NODE, unread, T0 + 29 * MINUTE)).toMatchObject({ reason: 'unknown_unit' });
  });

  it('begins anew after a value', () => {
    const old = withRejection(undefined, rejection(0, 'unreadable'));
    expect(withRejection(old, rejection(60, 'not_finite'), T0 + 30 * MINUTE)).toMatchObject({
      since: T0 + 60 * MINUTE,
      messages: 1,
    });
  });

  it('is one that sends its battery alone, but not at once', () => {
    const battery = rejection(0, 'nothing_to_keep');
    expect(nothingReadOf(NODE, after(battery), undefined)).toBeUndefined();
    expect(nothingReadOf(NODE, after(battery, rejection(31, 'nothing_to_keep')), undefined)).toMatchObject({
      messages: 2,
      reason: 'nothing_to_keep',
    });
    expect(
      nothingReadOf(NODE, after(battery, rejection(31, 'nothing_to_keep')), T0 + 25 * MINUTE),
    ).toBeUndefined();
  });

  it('keeps telling the fault when a healthy message of its battery comes after it', () => {
    const unread = after(rejection(0, 'unreadable'), rejection(1, 'nothing_to_keep'));
    expect(nothingReadOf(NODE, unread, undefined)).toMatchObject({ reason: 'unreadable', messages: 2 });
  });

  it('is a gateway only with a fault', () => {
    const gateway = { ...NODE, kind: 'gateway' } as const;
    const many = [0, 40].map((minute) => rejection(minute, 'nothing_to_keep'));
    expect(nothingReadOf(gateway, after(...many), undefined)).toBeUndefined();
    expect(nothingReadOf(gateway, after(rejection(0, 'unknown_device')), undefined)).toBeDefined();
  });

  it('is not one whose message was sent again, or refused at the door', () => {
    expect(
      after(rejection(0, 'repeated'), { ...rejection(0, 'bad_credentials'), source: undefined as never }),
    ).toBe(undefined);
  });

  it('gave its last value when its newest reading or heartbeat came', () => {
    expect(lastValueAt(undefined, undefined)).toBeUndefined();
    expect(lastValueAt({ lastSeen: 9 }, undefined)).toBeUndefined();
    const message = { site: 'betung', device: 'udara-01', ts: 1, receivedAt: 7, readings: [] };
    const latest = withReadings(NO_READINGS, { ...message, uplink: { shard: 0, offset: 0 } });
    expect(lastValueAt({ heartbeat: { ts: 5, state: 'up' } }, latest)).toBe(7);
  });
});
