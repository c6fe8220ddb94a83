import type { AlertEvent } from '#libs/alerting';
import type { Batch, BatchContext } from '#libs/journal-transport';
import type { Observation, PresenceSignal, Rejection, Signal } from '#libs/telemetry';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import {
  ALERT_VIEWS,
  alertViewKey,
  DEVICE_VIEWS,
  REJECTION_COUNTS,
  type AlertView,
  type DeviceView,
  type RejectionCount,
} from './views.js';

/** Streams → the read models behind the API. */
@Controller()
export class ProjectionController {
  @EventPattern<string>('alerts')
  async alerts(@Payload() batch: Batch<AlertEvent>, @Ctx() { state }: BatchContext): Promise<void> {
    for (const { data } of batch) {
      const key = alertViewKey(data);
      const view = await state.get<AlertView>(ALERT_VIEWS, key);
      const { kind, at, value } = data;
      state.put(ALERT_VIEWS, key, {
        latest: data,
        history: [...(view?.history ?? []), { kind, at, value }],
      } satisfies AlertView);
    }
  }

  @EventPattern<string>('readings')
  async readings(@Payload() batch: Batch<Observation>, @Ctx() { state }: BatchContext): Promise<void> {
    await updateDevices(batch, state, (view, { ts, receivedAt, readings }) => {
      const latest = { ...view.latest };
      for (const { parameter, value, flag } of readings) {
        if (ts >= (latest[parameter]?.ts ?? 0)) latest[parameter] = { ts, value, flag };
      }
      return { ...view, latest, lastSeen: Math.max(receivedAt, view.lastSeen ?? 0) };
    });
  }

  @EventPattern<string>('signals')
  async signals(@Payload() batch: Batch<Signal>, @Ctx() { state }: BatchContext): Promise<void> {
    await updateDevices(batch, state, (view, signal) => {
      if (signal.type === 'presence') return { ...view, presence: presenceAfter(view.presence, signal) };
      const seen = { ...view, lastSeen: Math.max(signal.receivedAt, view.lastSeen ?? 0) };
      if (signal.type !== 'heartbeat' || signal.ts < (view.heartbeat?.ts ?? 0)) return seen;
      const { ts, state: heartbeat, reason } = signal;
      return { ...seen, heartbeat: { ts, state: heartbeat, ...(reason === undefined ? {} : { reason }) } };
    });
  }

  @EventPattern<string>('rejected')
  async rejected(@Payload() batch: Batch<Rejection>, @Ctx() { state }: BatchContext): Promise<void> {
    for (const { data } of batch) {
      const { reason, device, count, receivedAt } = data;
      const key = `${reason}/${device ?? ''}`;
      const before = await state.get<RejectionCount>(REJECTION_COUNTS, key);
      state.put(REJECTION_COUNTS, key, {
        reason,
        ...(device === undefined ? {} : { device }),
        count: (before?.count ?? 0) + count,
        lastAt: receivedAt,
      } satisfies RejectionCount);
    }
  }
}

/** Fenced by session: the end of an earlier connection says nothing about a newer one. */
function presenceAfter(
  before: DeviceView['presence'],
  { state, cause, session, ts }: PresenceSignal,
): NonNullable<DeviceView['presence']> {
  const stale = state === 'disconnected' && before !== undefined && before.session !== session;
  return stale ? before : { state, cause, session, at: ts };
}

async function updateDevices<T extends { readonly device: string }>(
  batch: Batch<T>,
  state: BatchContext['state'],
  update: (view: DeviceView, data: T) => DeviceView,
): Promise<void> {
  const devices = [...new Set(batch.map(({ data }) => data.device))];
  const stored = await state.getMany<DeviceView>(DEVICE_VIEWS, devices);
  const views = new Map<string, DeviceView>(devices.map((device, i) => [device, stored[i] ?? {}]));
  for (const { data } of batch) views.set(data.device, update(views.get(data.device) ?? {}, data));
  for (const [device, view] of views) state.put(DEVICE_VIEWS, device, view);
}
