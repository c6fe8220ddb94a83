import { toParameterUnit, type GasConditions } from '#libs/air-quality';
import type { NewEntry } from '#libs/journal';
import { Tally, type Batch, type BatchContext, InPieces, type Pieces } from '#libs/journal-transport';
import { defined, SECOND, type Millis, type UtcMillis } from '#libs/kernel';
import { clockCheck, judgeObservation, type ParameterValue } from '#libs/quality-control';
import {
  decodeNative,
  countClock,
  judgeTime,
  PARAMETERS,
  type CodecOutput,
  type CodecTelemetry,
  type CommandEvent,
  type JournalRef,
  type JudgedTime,
  type Measured,
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
import { Ctx } from '@nestjs/microservices';
import { countMessage, sizesOf } from './account.js';
import { BatchDevices, holdAt, isOfTheDay, type BatchDevice } from './devices/batch-devices.js';
import { correctedPm25 } from './values/corrected-pm25.js';
import { codecOf, decodeForeign } from './decoding/decode.js';
import { believed } from './devices/frozen.js';
import { INGEST_OPTIONS, type IngestOptions } from './ingest-options.js';
import { KnownDevices } from './devices/known-devices.js';
import { CODEC_MEMORY } from './namespaces.js';
import { rejectionsOf } from './decoding/rejections.js';
import { repeatsWithin } from './values/repeated-values.js';
import { isRepeated } from './repetitions.js';
import { BatchSensors } from './devices/sensors.js';
import { BatchUnread } from './devices/unread.js';

/** What one piece of a batch brings about, put together before it is handed to the context. */
interface Outcome {
  readonly readings: NewEntry<Observation>[];
  readonly signals: NewEntry<Signal>[];
  readonly rejected: NewEntry<Rejection>[];
  readonly commands: NewEntry<CommandEvent>[];
}

/** A message, and what is refused of it. */
interface Message {
  readonly uplink: Uplink;
  readonly ref: JournalRef;
  readonly refusals: Refusal[];
}

type EventTime = Extract<JudgedTime, { clock: unknown }>;
type ClockUsed = EventTime['clock'];

/** Where and when something was observed, in the order of an entry's members. */
type Base = Pick<Observation, 'site' | 'device' | 'ts' | 'receivedAt' | 'uplink'>;

/** What a batch needs from one piece to the next. */
interface Begun {
  readonly devices: BatchDevices;
  readonly sensors: BatchSensors;
  readonly tally: Tally;
  readonly unread: BatchUnread;
}

interface Decoded {
  readonly decoded: NativeResult;
  readonly mapping: TopicMapping | undefined;
}

/**
 * `uplink` → `readings`, `signals`, `commands`, `rejected`: decode, convert, judge. Nothing is dropped without a trace.
 *
 * Most messages pass without being waited for: what they need was read when the piece began, see {@link BatchDevices}. So
 * what may have to wait stands in the one function that does: a promise for each message would be a tenth of its cost.
 */
@Controller()
export class UplinkController {
  readonly #directory: KnownDevices;

  constructor(@Inject(INGEST_OPTIONS) private readonly options: IngestOptions) {
    this.#directory = new KnownDevices(options);
  }

  @InPieces('uplink')
  async uplink(@Ctx() context: BatchContext): Promise<Pieces<Uplink>> {
    const devices = await BatchDevices.open(context.state, this.#directory);
    const unread = new BatchUnread(context.state);
    const sensors = new BatchSensors(context.state, devices);
    const begun: Begun = { devices, sensors, unread, tally: await Tally.begin(context) };
    return {
      add: (piece) => this.#decode(piece, begun, context),
      async end() {
        devices.remember();
        sensors.remember();
        await unread.remember();
        await begun.tally.end();
      },
    };
  }

  async #decode(
    piece: Batch<Uplink>,
    { devices, sensors, tally, unread }: Begun,
    context: BatchContext,
  ): Promise<void> {
    await devices.expect(piece);
    const outcome: Outcome = { readings: [], signals: [], rejected: [], commands: [] };
    for (const { shard, offset, appendedAt, data: uplink } of piece) {
      const message: Message = { uplink, ref: { shard, offset }, refusals: [] };
      const { refusals } = message;
      const before = sizesOf(outcome);
      if (uplink.qos === 2 && (await isRepeated(uplink, context.state))) refusals.push(REPEATED);
      else {
        const { decoded, mapping } =
          uplink.kind === 'foreign'
            ? await this.#decodeForeign(uplink, devices, context)
            : { decoded: decodeNative(uplink.kind, uplink.payload), mapping: undefined };
        takeRest(decoded, message, outcome);
        if (decoded.unread !== undefined) unread.note(uplink, decoded.unread);
        const histories = historiesIn(decoded.outputs);
        let isFirst = true;
        const sender = devices.get(uplink.device) ?? (await devices.find(uplink.device));
        holdAt(sender, uplink.receivedAt);
        const passes = uplink.kind !== 'foreign' && BatchSensors.passes(sender);
        if (passes) sender.memory.hasOwnNames = true;
        const parts = passes
          ? decoded.outputs.map((output) => ({ output, owner: uplink }))
          : await sensors.parts(decoded.outputs, uplink, mapping, refusals);
        for (const { output, owner } of parts) {
          const { source } = output;
          const device = devices.get(owner.device) ?? (await devices.find(owner.device));
          const { receivedAt } = uplink;
          holdAt(device, receivedAt);
          if (!isOfTheDay(device, receivedAt)) await devices.turnDay(device, receivedAt);
          const isHistory = uplink.fromFile === true || histories.has(source);
          const judged = judgeAndCountTime(output, device, uplink, isHistory);
          if ('refusal' in judged) {
            refusals.push(judged.refusal);
            continue;
          }
          // Without a time of its own a message that is sent again would become a second reading.
          if (isFirst && judged.clock !== 'device' && uplink.qos === 1) {
            isFirst = false;
            if (await isRepeated(uplink, context.state)) {
              refusals.push(REPEATED);
              break;
            }
          }
          this.#take(output, owner, judged, device, message, outcome);
        }
      }
      if (refusals.length > 0) refuse(message, outcome);
      if (tally.pass(offset, uplink.receivedAt, appendedAt)) countMessage(tally, before, outcome, refusals);
    }
    context.append('readings', outcome.readings);
    context.append('signals', outcome.signals);
    context.append('commands', outcome.commands);
    context.append('rejected', outcome.rejected);
  }

  async #decodeForeign(uplink: Uplink, devices: BatchDevices, context: BatchContext): Promise<Decoded> {
    const sender = await devices.find(uplink.device);
    holdAt(sender, uplink.receivedAt);
    const chosen = codecOf(uplink, { codecs: this.options.codecs, mappings: sender.held.mappings });
    const key = `${uplink.device}/${chosen.name ?? ''}`;
    const decoded = decodeForeign(uplink, chosen, await context.state.get(CODEC_MEMORY, key));
    if (decoded.memory !== undefined) context.state.put(CODEC_MEMORY, key, decoded.memory);
    return { decoded, mapping: chosen.matched?.mapping };
  }

  /** What an output says of the device that it is about. */
  #take(
    output: CodecOutput,
    { site, device: id }: Pick<Uplink, 'site' | 'device'>,
    { ts, clock }: EventTime,
    device: BatchDevice,
    { uplink, ref, refusals }: Message,
    { readings, signals }: Outcome,
  ): void {
    const base = { site, device: id, ts, receivedAt: uplink.receivedAt, uplink: ref };
    if (output.kind === 'telemetry') this.#telemetry(output, base, clock, device, refusals, readings);
    else
      signals.push({
        key: id,
        data: signalOf(
          output,
          base,
          uplink,
          clock === 'device' ? device.held.registered?.intervalMs : undefined,
        ),
      });
  }

  #telemetry(
    { values: stated, seq, conditions, repeats }: CodecTelemetry,
    base: Base,
    clock: ClockUsed,
    device: BatchDevice,
    refusals: Refusal[],
    readings: NewEntry<Observation>[],
  ): void {
    const air =
      device.held.gasConditions === 'measured'
        ? { ...conditions, temperatureC: temperatureAmong(stated) }
        : undefined;
    const values = converted(stated, air, refusals);
    if (values.length === 0) return;
    const ts = clock === 'device' ? base.ts : freeInstant(base.ts, device.memory.arrivedAt);
    const { memory } = device;
    const { limits } = device.held;
    // Nearly all come after they were measured.
    const ahead =
      clock === 'device' && ts > base.receivedAt
        ? clockCheck(ts, base.receivedAt, limits.clock).result
        : undefined;
    const judged = judgeObservation(memory, ts, values, limits.parameters, {
      clockIsWrong: clock === 'wrong',
      ...defined({ clock: ahead }),
      repeatsWithin: repeatsWithin(repeats, ts, clock, device),
    });
    if (clock !== 'device') device.memory.arrivedAt = ts;
    const correction = correctedPm25(ts, judged.readings, device);
    const all = correction === undefined ? judged.readings : [...judged.readings, correction];
    readings.push({ key: base.device, data: observationOf(base, ts, seq, clock, all) });
    for (const { ts: earlier, reading } of judged.amendments) {
      const follows = correctedPm25(earlier, [reading], device);
      const amended = follows === undefined ? [reading] : [reading, follows];
      const data: Observation = { ...base, ts: earlier, amendment: true, readings: amended };
      readings.push({ key: base.device, data });
    }
  }
}

/** What a message says beside its outputs. */
function takeRest(
  { refusals: found, ignored, result }: NativeResult,
  { uplink, ref, refusals }: Message,
  { commands }: Outcome,
): void {
  for (const refusal of found) refusals.push(refusal);
  if (ignored !== undefined) refusals.push({ reason: 'nothing_to_keep', detail: ignored });
  if (result === undefined) return;
  const { site, device, receivedAt: at } = uplink;
  commands.push({ key: device, data: { ...result, site, device, at, uplink: ref } });
}

function refuse({ uplink, ref, refusals }: Message, { rejected }: Outcome): void {
  for (const rejection of rejectionsOf(uplink, ref, refusals))
    rejected.push({ key: uplink.device, data: rejection });
}

const NO_HISTORY: ReadonlySet<string | undefined> = new Set();

/** Of which sources a message states several instants: what it holds of them was not measured at its arrival. */
function historiesIn(outputs: readonly CodecOutput[]): ReadonlySet<string | undefined> {
  if (outputs.length < 2) return NO_HISTORY;
  const firstOf = new Map<string | undefined, UtcMillis>();
  const histories = new Set<string | undefined>();
  for (const { source, ts } of outputs) {
    if (ts === undefined) continue;
    const first = firstOf.get(source);
    if (first === undefined) firstOf.set(source, ts);
    else if (first !== ts) histories.add(source);
  }
  return histories;
}

/**
 * Judges the time that an output states, and counts it in the ledger of clocks.
 *
 * @param isHistory - the arrival never stands in for the times of a file or of a list of instants
 */
function judgeAndCountTime(
  { ts: stated }: CodecOutput,
  device: BatchDevice,
  { receivedAt }: Uplink,
  isHistory: boolean,
): JudgedTime {
  const { timePolicy, limits } = device.held;
  const policy = isHistory ? ({ ...timePolicy, wrongClock: 'refuse' } as const) : timePolicy;
  const judged = judgeTime(stated, receivedAt, policy);
  const clock = 'refusal' in judged ? 'wrong' : judged.clock;
  if (!('refusal' in judged) || judged.refusal.reason !== 'too_late') {
    const { memory } = device;
    memory.clock = countClock(memory.clock, stated, receivedAt, clock, limits.clock.lateAfter);
    device.hasChanged = true;
  }
  return judged;
}

/** The values in the units of their parameters; those that are none then are refused. */
function converted(
  stated: readonly Measured[],
  air: GasConditions | undefined,
  refusals: Refusal[],
): readonly ParameterValue[] {
  // Nearly always.
  if (stated.every(isAsKept)) return stated;
  const values: ParameterValue[] = [];
  for (const measured of stated) {
    const { parameter, value: found, unit } = measured;
    const value = toParameterUnit(parameter, found, unit, air);
    if (value === undefined)
      refusals.push({ reason: 'unknown_unit', detail: `${parameter}: ${unit} is no unit of it` });
    // A damaged number may leave the range of numbers when it is converted.
    else if (!Number.isFinite(value))
      refusals.push({
        reason: 'not_finite',
        detail: `${parameter}: expected a measured value, found ${found} ${unit}`,
      });
    else values.push(value === found ? measured : { ...measured, value });
  }
  return values;
}

/** Whether the value is one in the unit of its parameter already. */
function isAsKept({ parameter, value, unit }: Measured): boolean {
  return unit === PARAMETERS[parameter].unit && Number.isFinite(value);
}

/**
 * The instant of a message that states none, or a wrong one. Two messages of one instant replace each other in the store:
 * so it is later than the last that was given to the device, and never the whole second that another message may state.
 */
function freeInstant(receivedAt: UtcMillis, lastGiven: UtcMillis): UtcMillis {
  const ts = Math.max(receivedAt, lastGiven + 1);
  return ts % SECOND === 0 ? ts + 1 : ts;
}

function observationOf(
  { site, device, receivedAt, uplink }: Base,
  ts: UtcMillis,
  seq: number | undefined,
  clock: ClockUsed,
  readings: readonly Reading[],
): Observation {
  // By far the commonest, without a detour.
  if (seq === undefined && clock === 'device') return { site, device, ts, receivedAt, uplink, readings };
  const optional = { ...defined({ seq }), ...(clock === 'device' ? {} : { clock }) };
  return { site, device, ts, receivedAt, uplink, ...optional, readings };
}

const REPEATED: Refusal = { reason: 'repeated', detail: 'sent again by the device, and taken before' };

function temperatureAmong(stated: readonly Measured[]): number | undefined {
  const found = stated.find(({ parameter }) => parameter === 'temperature');
  return found === undefined ? undefined : toParameterUnit('temperature', found.value, found.unit);
}

function signalOf(
  output: Exclude<CodecOutput, CodecTelemetry>,
  base: Base,
  { session, will }: Uplink,
  /** How often the device promises to report; undefined when that, or the time, is not known. */
  intervalMs: Millis | undefined,
): Signal {
  switch (output.kind) {
    case 'heartbeat': {
      const { stated, frames, seq, lastFrameAt } = output;
      const rest = defined({ stated, frames, seq, lastFrameAt });
      return { ...base, type: 'heartbeat', ...believed(output, base.ts, intervalMs), ...rest };
    }
    case 'status':
      return {
        ...base,
        type: 'status',
        session,
        state: output.state,
        will,
        ...defined({ stated: output.stated }),
      };
    case 'event':
      return { ...base, type: 'event', name: output.name, ...defined({ data: output.data }) };
  }
}
