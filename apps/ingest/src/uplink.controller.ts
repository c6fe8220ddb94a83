import type { NewEntry } from '#libs/journal';
import type { Batch, BatchContext } from '#libs/journal-transport';
import { grossRange } from '#libs/quality-control';
import {
  decodeNative,
  type CommandEvent,
  type JournalRef,
  type Observation,
  type Reading,
  type Refusal,
  type Rejection,
  type Signal,
  type TimePolicy,
  type Uplink,
} from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { createHash } from 'node:crypto';

export const TIME_POLICY = Symbol('TimePolicy');

/** QoS 2 messages of a device that were decoded last, oldest first: packet identifier and digest. */
type RecentQos2 = readonly (readonly [messageId: number, digest: string])[];
const QOS2_RECENT = 'ingest/qos2';
/** At least the number of QoS 2 messages that a device has in flight. */
const QOS2_REMEMBERED = 64;

/** `uplink` → `readings`, `signals`, `rejected`: decode, validate, flag. Nothing is dropped without a trace. */
@Controller()
export class UplinkController {
  constructor(@Inject(TIME_POLICY) private readonly policy: TimePolicy) {}

  @EventPattern<string>('uplink')
  async uplink(@Payload() batch: Batch<Uplink>, @Ctx() context: BatchContext): Promise<void> {
    const readings: NewEntry<Observation>[] = [];
    const signals: NewEntry<Signal>[] = [];
    const rejected: NewEntry<Rejection>[] = [];
    const commands: NewEntry<CommandEvent>[] = [];
    for (const { key, shard, offset, data: uplink } of batch) {
      if (uplink.qos === 2 && (await isRepeated(uplink, context))) continue;
      const ref: JournalRef = { shard, offset };
      const { observation, signal, command, refusals } = this.#decode(uplink, ref);
      if (command !== undefined) commands.push({ key, data: command });
      if (observation !== undefined) readings.push({ key, data: observation });
      if (signal !== undefined) signals.push({ key, data: signal });
      for (const refusal of refusals) rejected.push({ key, data: rejection(uplink, ref, refusal) });
    }
    context.append('readings', readings);
    context.append('signals', signals);
    context.append('rejected', rejected);
    context.append('commands', commands);
  }

  #decode(
    uplink: Uplink,
    ref: JournalRef,
  ): {
    observation?: Observation;
    signal?: Signal;
    command?: CommandEvent;
    refusals: readonly Refusal[];
  } {
    const { site, device, receivedAt, session, will } = uplink;
    const decoded = decodeNative(uplink.kind, uplink.payload, receivedAt, this.policy);
    if (decoded.kind === 'refused') return { refusals: [decoded.refusal] };
    const { ts } = decoded;
    const base = { site, device, ts, receivedAt, uplink: ref };
    switch (decoded.kind) {
      case 'telemetry': {
        const { seq, values, refusals } = decoded;
        const readings = values.map(([parameter, value]): Reading => {
          const { flag, failed } = grossRange(parameter, value);
          return { parameter, value, flag, ...(failed.length === 0 ? {} : { failed }) };
        });
        return readings.length === 0
          ? { refusals }
          : { observation: { ...base, ...(seq === undefined ? {} : { seq }), readings }, refusals };
      }
      case 'heartbeat': {
        const { kind: type, lastFrameMs, state, reason, frames, seq } = decoded;
        const known = withoutUndefined({ reason, frames, seq, lastFrameAt: lastFrameMs });
        return { signal: { ...base, type, state, ...known }, refusals: [] };
      }
      case 'status':
        return { signal: { ...base, type: 'status', session, state: decoded.state, will }, refusals: [] };
      case 'event':
        return {
          signal: { ...base, type: 'event', name: decoded.name, ...withoutUndefined({ data: decoded.data }) },
          refusals: [],
        };
      case 'result': {
        const { id, state, detail } = decoded;
        return {
          command: { id, site, device, state, at: receivedAt, ...withoutUndefined({ detail }) },
          refusals: [],
        };
      }
    }
  }
}

/**
 * Whether this QoS 2 message was decoded before. The broker journals before Aedes remembers the packet identifier, so
 * a crash in between lets the device's retransmission (same identifier, DUP set, same bytes) into the journal twice.
 */
async function isRepeated(uplink: Uplink, context: BatchContext): Promise<boolean> {
  if (uplink.messageId === undefined) return false;
  const digest = createHash('sha256')
    .update(uplink.topic)
    .update('\0')
    .update(uplink.payload)
    .digest('base64url');
  const recent = (await context.state.get<RecentQos2>(QOS2_RECENT, uplink.device)) ?? [];
  if (uplink.dup && recent.some(([id, known]) => id === uplink.messageId && known === digest)) return true;
  const kept = recent.filter(([id]) => id !== uplink.messageId).slice(1 - QOS2_REMEMBERED);
  context.state.put(QOS2_RECENT, uplink.device, [...kept, [uplink.messageId, digest]]);
  return false;
}

function rejection(uplink: Uplink, ref: JournalRef, { reason, detail }: Refusal): Rejection {
  const { receivedAt, site, device, topic, payload } = uplink;
  return {
    reason,
    detail,
    receivedAt,
    site,
    device,
    topic,
    payload,
    payloadBytes: payload.length,
    count: 1,
    source: { stream: 'uplink', ...ref },
  };
}

function withoutUndefined<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
