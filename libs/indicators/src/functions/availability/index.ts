import { deviceTimeline } from '#libs/availability';
import type { TimeSpan, UtcMillis } from '#libs/kernel';
import { z } from 'zod';
import { defineIndicatorFunction, onlyDevice } from '../../indicator-function.js';
import type { DeviceInputs } from '../../inputs.js';
import { intervalAt, intervalIn } from '../../intervals.js';
import { PERIOD_UNITS } from '../../period.js';
import { assertInputs } from '../../record.js';
import { SUBJECT_KINDS } from '../../subject.js';
import { availabilityRecord, pooledAvailabilityRecord, type DeviceShare } from './formula.js';

/** Time up by heartbeats, over the time of which up or down is known. */
export const availability = defineIndicatorFunction({
  arguments: z.strictObject({
    /** A heartbeat may come this share of its interval late before silence counts. */
    graceShare: z.number().min(0).max(10).default(0.5),
  }),
  subjects: SUBJECT_KINDS,
  periods: PERIOD_UNITS,
  series: () => 'heartbeat',
  isOwed: true,
  settings: (device) => [`access/${device}`, 'liveness'],
  async compute({ definition, args: { graceShare }, subject, period }, devices) {
    if (subject.device !== undefined) {
      const share = await shareOf(onlyDevice(devices), period, graceShare);
      const { window, timeline, heartbeats, method, firstSign } = share;
      return availabilityRecord(definition, subject, period, window, timeline, heartbeats, method, firstSign);
    }
    const shares: DeviceShare[] = [];
    let inputs = 0;
    for (const device of devices) {
      const { timeline, heartbeats } = await shareOf(device, period, graceShare, inputs);
      inputs += heartbeats.length;
      shares.push({ site: device.site, device: device.device, timeline, heartbeats });
    }
    return pooledAvailabilityRecord(definition, subject, period, shares);
  },
});

/** @param inputs - of the devices before it */
async function shareOf(device: DeviceInputs, period: TimeSpan, graceShare: number, inputs = 0) {
  const intervals = await device.intervals();
  const intervalMs = intervalIn(intervals, period);
  const graceMs = intervalMs * graceShare;
  const { firstSign, ...window } = await accountable(device, period);
  // A heartbeat of before the window may still speak for its beginning.
  const heartbeats = await device.heartbeats({
    from: window.from - Math.max(intervalMs, intervalAt(intervals, window.from)) * (1 + graceShare),
    to: window.to,
  });
  assertInputs(inputs + heartbeats.length);
  const timeline = deviceTimeline({
    window,
    heartbeats,
    observed: await device.observed(),
    intervalMs,
    intervalAt: (ts) => intervalAt(intervals, ts),
    graceMs,
    outOfService: await device.outOfService(),
  });
  return { window, timeline, heartbeats, method: { intervalMs, graceMs }, firstSign };
}

/**
 * The part of the period after the device's registration, or its first sign of life if that is earlier, up to what is known by now;
 * empty at the end of a period before, and at the beginning of one to come.
 */
async function accountable(
  device: DeviceInputs,
  period: TimeSpan,
): Promise<TimeSpan & { readonly firstSign: UtcMillis }> {
  const reach = await device.reach('heartbeat');
  const registered = await device.registered();
  const known = Math.max(reach?.to ?? 0, await device.awakeUntil());
  const firstSign = reach?.from ?? Infinity;
  const since = Math.min(firstSign, registered ?? (reach === undefined ? -Infinity : Infinity));
  if (since >= period.to) return { from: period.to, to: period.to, firstSign };
  const to = Math.min(period.to, known);
  const from = Math.max(period.from, since);
  return from < to ? { from, to, firstSign } : { from: period.from, to: period.from, firstSign };
}
