import { correctPm25, toParameterUnit } from '#libs/air-quality';
import type { Device } from '#libs/identity';
import type { NewEntry } from '#libs/journal';
import type { Batch, BatchContext } from '#libs/journal-transport';
import { defined, localDateOf, type UtcMillis } from '#libs/kernel';
import {
  combineFlags,
  judgeObservation,
  qcLimitsOf,
  type DeviceQcLimits,
  type DeviceQcState,
} from '#libs/quality-control';
import {
  CLOCK_LEDGER,
  extendClockDay,
  judgeTime,
  type ClockDay,
  type CodecOutput,
  type CodecTelemetry,
  type CommandEvent,
  type JournalRef,
  type JudgedTime,
  type Measured,
  type MeasuredParameter,
  type NativeResult,
  type Observation,
  type Reading,
  type Refusal,
  type Rejection,
  type Signal,
  type TopicMapping,
  type Uplink,
} from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { createHash } from 'node:crypto';
import { codecOf, decodeForeign, decodeOwn, ownerOf } from './decode.js';
import { INGEST_OPTIONS, type IngestOptions } from './ingest-options.js';
import { rejectionsOf } from './rejections.js';

/** Messages of a device that were decoded last, oldest first: packet identifier and digest. */
type Recent = readonly (readonly [messageId: number, digest: string])[];
const RECENT = 'ingest/recent';
/** At least the number of messages that a device has in flight. */
const REMEMBERED = 64;

/** What a device's own earlier messages mean for the next one. */
interface DeviceMemory {
  readonly qc: DeviceQcState;
  /** The last instant that was given to a message without a time of its own. */
  readonly arrivedAt?: UtcMillis;
}
const MEMORY = 'ingest/devices';
const CODEC_MEMORY = 'ingest/codecs';

/** What one batch brings about, put together before it is handed to the context. */
interface Outcome {
  readonly readings: NewEntry<Observation>[];
  readonly signals: NewEntry<Signal>[];
  readonly rejected: NewEntry<Rejection>[];
  readonly commands: NewEntry<CommandEvent>[];
  readonly clockDays: Map<string, ClockDay>;
}

/** `uplink` → `readings`, `signals`, `commands`, `rejected`: decode, convert, judge. Nothing is dropped without a trace. */
@Controller()
export class UplinkController {
  readonly #limits = new Map<string, DeviceQcLimits>();

  constructor(@Inject(INGEST_OPTIONS) private readonly options: IngestOptions) {}

  @EventPattern<string>('uplink')
  async uplink(@Payload() batch: Batch<Uplink>, @Ctx() context: BatchContext): Promise<void> {
    const outcome: Outcome = { readings: [], signals: [], rejected: [], commands: [], clockDays: new Map() };
    for (const { shard, offset, data } of batch) await this.#take(data, { shard, offset }, outcome, context);
    context.append('readings', outcome.readings);
    context.append('signals', outcome.signals);
    context.append('commands', outcome.commands);
    context.append('rejected', outcome.rejected);
    for (const [key, day] of outcome.clockDays) context.state.put(CLOCK_LEDGER, key, day);
  }

  async #take(uplink: Uplink, ref: JournalRef, outcome: Outcome, context: BatchContext): Promise<void> {
    const refusals: Refusal[] = [];
    await this.#read(uplink, ref, outcome, context, (refusal) => void refusals.push(refusal));
    for (const data of rejectionsOf(uplink, ref, refusals))
      outcome.rejected.push({ key: uplink.device, data });
  }

  async #read(
    uplink: Uplink,
    ref: JournalRef,
    outcome: Outcome,
    context: BatchContext,
    refuse: (refusal: Refusal) => void,
  ): Promise<void> {
    if (uplink.qos === 2 && (await isRepeated(uplink, context))) {
      refuse(REPEATED);
      return;
    }
    const { decoded, mapping } = await this.#decode(uplink, context);
    for (const refusal of decoded.refusals) refuse(refusal);
    if (decoded.ignored !== undefined) refuse({ reason: 'nothing_to_keep', detail: decoded.ignored });
    if (decoded.result !== undefined) {
      const { site, device, receivedAt: at } = uplink;
      outcome.commands.push({ key: device, data: { ...decoded.result, site, device, at, uplink: ref } });
    }
    let isFirst = true;
    for (const output of decoded.outputs) {
      const owner = await ownerOf(output, uplink, mapping, this.options);
      if ('reason' in owner) {
        refuse(owner);
        continue;
      }
      const device = await this.options.registry.device(owner.device);
      const judged = await this.#time(output, owner.device, device, uplink, outcome, context);
      if ('refusal' in judged) {
        refuse(judged.refusal);
        continue;
      }
      // Without a time of its own a message that is sent again would become a second reading.
      if (isFirst && judged.clock !== 'device' && uplink.qos === 1) {
        isFirst = false;
        if (await isRepeated(uplink, context)) {
          refuse(REPEATED);
          return;
        }
      }
      const base = { ...owner, ts: judged.ts, receivedAt: uplink.receivedAt, uplink: ref };
      if (output.kind === 'telemetry')
        await this.#telemetry(output, base, judged.clock, device, refuse, outcome, context);
      else outcome.signals.push({ key: owner.device, data: signalOf(output, base, uplink) });
    }
  }

  async #decode(
    uplink: Uplink,
    context: BatchContext,
  ): Promise<{ readonly decoded: NativeResult; readonly mapping: TopicMapping | undefined }> {
    if (uplink.kind !== 'foreign') return { decoded: decodeOwn(uplink), mapping: undefined };
    const reading = codecOf(uplink, this.options);
    const key = `${uplink.device}/${reading.name ?? ''}`;
    const decoded = decodeForeign(uplink, reading, await context.state.get<unknown>(CODEC_MEMORY, key));
    if (decoded.memory !== undefined) context.state.put(CODEC_MEMORY, key, decoded.memory);
    return { decoded, mapping: reading.matched?.mapping };
  }

  /** The event time of an output, with a line in the ledger of clocks. */
  async #time(
    { ts: stated }: CodecOutput,
    id: string,
    device: Device | undefined,
    { receivedAt }: Uplink,
    { clockDays }: Outcome,
    context: BatchContext,
  ): Promise<JudgedTime> {
    const { timePolicy } = this.options;
    const judged = judgeTime(stated, receivedAt, {
      ...timePolicy,
      maxAgeMs: device?.maxAgeMs ?? timePolicy.maxAgeMs,
    });
    const day = localDateOf(receivedAt);
    const key = `${id}/${day}`;
    const before = clockDays.get(key) ?? (await context.state.get<ClockDay>(CLOCK_LEDGER, key));
    const clock = 'refusal' in judged ? 'wrong' : judged.clock;
    if (!('refusal' in judged) || judged.refusal.reason !== 'too_late')
      clockDays.set(key, extendClockDay(before, day, stated, receivedAt, clock));
    return judged;
  }

  async #telemetry(
    { values: stated, seq, conditions }: CodecTelemetry,
    base: Pick<Observation, 'site' | 'device' | 'ts' | 'receivedAt' | 'uplink'>,
    clock: 'device' | 'none' | 'wrong',
    device: Device | undefined,
    refuse: (refusal: Refusal) => void,
    { readings }: Outcome,
    context: BatchContext,
  ): Promise<void> {
    const values: [MeasuredParameter, number][] = [];
    const air =
      this.options.gasConditions === 'measured'
        ? { ...conditions, temperatureC: temperatureAmong(stated) }
        : undefined;
    for (const { parameter, value, unit } of stated) {
      const converted = toParameterUnit(parameter, value, unit, air);
      if (converted === undefined)
        refuse({ reason: 'unknown_unit', detail: `${parameter}: ${unit} is no unit of it` });
      // A damaged number may leave the range of numbers when it is converted.
      else if (!Number.isFinite(converted))
        refuse({
          reason: 'not_finite',
          detail: `${parameter}: expected a measured value, found ${value} ${unit}`,
        });
      else values.push([parameter, converted]);
    }
    if (values.length === 0) return;
    const memory = (await context.state.get<DeviceMemory>(MEMORY, base.device)) ?? { qc: {} };
    // Two messages of one millisecond would replace each other in the store.
    const ts = clock === 'device' ? base.ts : Math.max(base.ts, (memory.arrivedAt ?? 0) + 1);
    const {
      state,
      readings: judged,
      amendments,
    } = judgeObservation(memory.qc, ts, values, this.#limitsOf(base.device), clock === 'wrong');
    context.state.put(MEMORY, base.device, {
      qc: state,
      ...(clock === 'device' ? defined({ arrivedAt: memory.arrivedAt }) : { arrivedAt: ts }),
    } satisfies DeviceMemory);
    const correction = correctedPm25(judged, device);
    const all = correction === undefined ? judged : [...judged, correction];
    const observation: Observation = {
      ...base,
      ts,
      ...defined({ seq }),
      ...(clock === 'device' ? {} : { clock }),
      readings: all,
    };
    readings.push({ key: base.device, data: observation });
    for (const { ts: earlier, reading } of amendments) {
      const data: Observation = { ...base, ts: earlier, amendment: true, readings: [reading] };
      readings.push({ key: base.device, data });
    }
  }

  #limitsOf(device: string): DeviceQcLimits['parameters'] {
    let limits = this.#limits.get(device);
    if (limits === undefined) this.#limits.set(device, (limits = qcLimitsOf(device, this.options.qcLimits)));
    return limits.parameters;
  }
}

const REPEATED: Refusal = { reason: 'repeated', detail: 'sent again by the device, and taken before' };

function temperatureAmong(stated: readonly Measured[]): number | undefined {
  const found = stated.find(({ parameter }) => parameter === 'temperature');
  return found === undefined ? undefined : toParameterUnit('temperature', found.value, found.unit);
}

/** A series of its own beside the raw one, for devices that ask for it; as doubtful as what it is computed from. */
function correctedPm25(readings: readonly Reading[], device: Device | undefined): Reading | undefined {
  const name = device?.humidityCorrection;
  if (name === undefined) return undefined;
  const pm25 = readings.find(({ parameter }) => parameter === 'pm25');
  const humidity = readings.find(({ parameter }) => parameter === 'humidity');
  const corrected = correctPm25(pm25?.value, humidity?.value, name);
  if (pm25 === undefined || humidity === undefined || corrected === undefined) return undefined;
  const failed = [...new Set([...(pm25.failed ?? []), ...(humidity.failed ?? [])])];
  return {
    parameter: 'pm25_corrected',
    value: corrected.value,
    flag: combineFlags([pm25.flag, humidity.flag]),
    ...(failed.length === 0 ? {} : { failed }),
  };
}

function signalOf(
  output: Exclude<CodecOutput, CodecTelemetry>,
  base: Pick<Observation, 'site' | 'device' | 'ts' | 'receivedAt' | 'uplink'>,
  { session, will }: Uplink,
): Signal {
  switch (output.kind) {
    case 'heartbeat': {
      const { state, reason, frames, seq, lastFrameAt } = output;
      return { ...base, type: 'heartbeat', state, ...defined({ reason, frames, seq, lastFrameAt }) };
    }
    case 'status':
      return { ...base, type: 'status', session, state: output.state, will };
    case 'event':
      return { ...base, type: 'event', name: output.name, ...defined({ data: output.data }) };
  }
}

/**
 * Whether this message was decoded before. The broker journals before Aedes remembers the packet identifier, so a crash
 * in between lets the device's retransmission (same identifier, DUP set, same bytes) into the journal twice.
 */
async function isRepeated(uplink: Uplink, context: BatchContext): Promise<boolean> {
  if (uplink.messageId === undefined) return false;
  const digest = createHash('sha256')
    .update(uplink.topic)
    .update('\0')
    .update(uplink.payload)
    .digest('base64url');
  const recent = (await context.state.get<Recent>(RECENT, uplink.device)) ?? [];
  if (uplink.dup && recent.some(([id, known]) => id === uplink.messageId && known === digest)) return true;
  const kept = recent.filter(([id]) => id !== uplink.messageId).slice(1 - REMEMBERED);
  context.state.put(RECENT, uplink.device, [...kept, [uplink.messageId, digest]]);
  return false;
}
