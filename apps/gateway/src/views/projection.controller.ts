import { alertEventOf, type StoredAlertEvent } from '#libs/alerting';
import { isFlap, type BrokerRun } from '#libs/availability';
import { FromStream, type Batch, type BatchContext } from '#libs/journal-transport';
import { defined, type Millis } from '#libs/kernel';
import {
  LIVENESS_KEY,
  type CommandEvent,
  type CommandState,
  type ConfigurationChange,
  type Liveness,
  type Observation,
  type PresenceSignal,
  type Rejection,
  type Signal,
} from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { updateDevices } from './update-devices.js';
import { NO_READINGS, withReadings, type LatestReadings } from './latest-readings-form.js';
import { lastValueAt, withRejection } from './nothing-read.js';
import {
  alertViewKey,
  commandViewKey,
  type AlertView,
  type CommandView,
  type DeviceView,
  rejectionKey,
  type RejectionCount,
} from './views.js';
import {
  ALERT_VIEWS,
  BROKER_RUN_ORDER,
  BROKER_RUNS,
  COMMAND_VIEWS,
  CONFIGURATION_VIEWS,
  DEVICE_VIEWS,
  LATEST_READINGS,
  REJECTION_COUNTS,
  UNREAD_MESSAGES,
} from '../namespaces.js';

export const FLAP_GRACE_MS = Symbol('FlapGraceMs');

/**
 * Runs of the broker that are kept. What a connection was is known without the run that held it, once others have listened for as long as
 * the connection survives silence; whoever starts a broker this often within that time loses less than a keep-alive of precision.
 */
const KEPT_RUNS = 50;
/** Commands in these states are over. */
const FINAL: ReadonlySet<CommandState> = new Set(['done', 'failed', 'expired']);

/** Streams → the read models behind the API. */
@Controller()
export class ProjectionController {
  constructor(@Inject(FLAP_GRACE_MS) private readonly flapGraceMs: Millis) {}

  @FromStream('alerts')
  async alerts(@Payload() batch: Batch<StoredAlertEvent>, @Ctx() { state }: BatchContext): Promise<void> {
    for (const { data } of batch) {
      const key = alertViewKey(data);
      const view = await state.get(ALERT_VIEWS, key);
      const { phase, at, value } = alertEventOf(data);
      state.put(ALERT_VIEWS, key, {
        latest: data,
        history: [...(view?.history ?? []), { kind: phase, at, ...defined({ value }) }],
      } satisfies AlertView);
    }
  }

  @FromStream('readings')
  async readings(@Payload() batch: Batch<Observation>, @Ctx() { state }: BatchContext): Promise<void> {
    await updateDevices<LatestReadings, Observation>(
      LATEST_READINGS,
      batch,
      state,
      NO_READINGS,
      withReadings,
    );
  }

  @FromStream('signals')
  async signals(@Payload() batch: Batch<Signal>, @Ctx() { state }: BatchContext): Promise<void> {
    await updateDevices<DeviceView, Signal>(DEVICE_VIEWS, batch, state, {}, (view, signal) => {
      if (signal.type === 'presence') return withPresence(view, signal, this.flapGraceMs);
      const seen = { ...view, lastSeen: Math.max(signal.receivedAt, view.lastSeen ?? 0) };
      if (signal.type === 'status') {
        const { ts, state: status, stated } = signal;
        return { ...seen, status: { ts, state: status, ...defined({ stated }) } };
      }
      if (signal.type !== 'heartbeat' || signal.ts < (view.heartbeat?.ts ?? 0)) return seen;
      const { ts, state: heartbeat, stated, reason } = signal;
      return { ...seen, heartbeat: { ts, state: heartbeat, ...defined({ stated, reason }) } };
    });
  }

  @FromStream('liveness')
  async liveness(@Payload() batch: Batch<Liveness>, @Ctx() { state }: BatchContext): Promise<void> {
    for (const { key, data } of batch) {
      const { component, run, kind, at } = data;
      if (key !== LIVENESS_KEY || component !== 'broker') continue;
      const before = await state.get(BROKER_RUNS, run);
      if (before === undefined) await keepRun(run, state);
      state.put(BROKER_RUNS, run, {
        run,
        startedAt: before?.startedAt ?? at,
        seenAt: at,
        stopped: kind === 'stop',
      } satisfies BrokerRun);
    }
  }

  @FromStream('commands')
  async commands(@Payload() batch: Batch<CommandEvent>, @Ctx() context: BatchContext): Promise<void> {
    for (const { data } of batch) {
      const key = commandViewKey(data.device, data.id);
      const before = await context.state.get(COMMAND_VIEWS, key);
      const command = before?.command ?? data.command;
      // A result for a command that was never given, or for another device's: the key does not find it.
      if (command === undefined) continue;
      const { id, device, at, detail } = data;
      const isOver = before !== undefined && FINAL.has(before.state);
      context.state.put(COMMAND_VIEWS, key, {
        id,
        device,
        command,
        // The PUBACK may be here after the result.
        state: isOver ? before.state : data.state,
        history: [...(before?.history ?? []), { state: data.state, at }],
        ...(detail === undefined ? {} : { detail }),
      } satisfies CommandView);
    }
  }

  @FromStream('configurations')
  async configurations(
    @Payload() batch: Batch<ConfigurationChange>,
    @Ctx() { state }: BatchContext,
  ): Promise<void> {
    for (const { data } of batch)
      state.put(CONFIGURATION_VIEWS, data.device, data.configuration === null ? undefined : data);
  }

  @FromStream('rejected')
  async rejected(@Payload() batch: Batch<Rejection>, @Ctx() { state }: BatchContext): Promise<void> {
    await this.#unread(batch, state);
    for (const { data } of batch) {
      const { reason, device, count, receivedAt } = data;
      const key = rejectionKey(reason, device);
      const before = await state.get(REJECTION_COUNTS, key);
      state.put(REJECTION_COUNTS, key, {
        reason,
        ...(device === undefined ? {} : { device }),
        count: (before?.count ?? 0) + count,
        ...(before !== undefined && before.firstAt === undefined
          ? {}
          : { firstAt: Math.min(before?.firstAt ?? Infinity, receivedAt) }),
        lastAt: receivedAt,
      } satisfies RejectionCount);
    }
  }

  async #unread(batch: Batch<Rejection>, state: BatchContext['state']): Promise<void> {
    const devices = [...new Set(batch.flatMap(({ data }) => data.device ?? []))];
    const stored = await state.getMany(UNREAD_MESSAGES, devices);
    const views = await state.getMany(DEVICE_VIEWS, devices);
    const latest = await state.getMany(LATEST_READINGS, devices);
    const known = new Map(devices.map((device, i) => [device, stored[i]]));
    const valueAt = new Map(devices.map((device, i) => [device, lastValueAt(views[i], latest[i])]));
    for (const { data } of batch)
      if (data.device !== undefined)
        known.set(data.device, withRejection(known.get(data.device), data, valueAt.get(data.device)));
    for (const [i, device] of devices.entries())
      if (known.get(device) !== stored[i]) state.put(UNREAD_MESSAGES, device, known.get(device));
  }
}

/** A new run takes the place of the oldest. */
async function keepRun(run: string, state: BatchContext['state']): Promise<void> {
  const order = [run, ...((await state.get(BROKER_RUN_ORDER, 'all')) ?? [])];
  state.put(BROKER_RUN_ORDER, 'all', order.slice(0, KEPT_RUNS));
  for (const old of order.slice(KEPT_RUNS)) state.delete(BROKER_RUNS, old);
}

/** Fenced by session: the end of an earlier connection says nothing about a newer one. */
function withPresence(view: DeviceView, signal: PresenceSignal, flapGraceMs: Millis): DeviceView {
  const { presence: before, flaps } = view;
  const { state, cause, session, run, silenceMs, ts: at } = signal;
  if (state === 'disconnected' && before !== undefined && before.session !== session) return view;
  const isBack = state === 'connected' && isFlap(before, at, flapGraceMs);
  return {
    ...view,
    presence: { state, cause, session, at, run, silenceMs, byShutdown: cause === 'shutdown' },
    ...(isBack ? { flaps: { count: (flaps?.count ?? 0) + 1, lastAt: at } } : {}),
  };
}
