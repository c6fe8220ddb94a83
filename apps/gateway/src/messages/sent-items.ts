import type { Entry } from '#libs/journal';
import { defined } from '#libs/kernel';
import type { Rejection, Uplink } from '#libs/telemetry';
import type { Answer } from '../http/answer.js';
import { iso } from '../http/iso.js';
import { shownPayload } from '../http/payload.js';
import type { MessageTraces } from './message-traces.js';
import type { FATES, sentMessageSchema } from './messages-answer.js';

/** Of one message; the others are counted, and all of them stand in the journal. */
const SHOWN = 20;
/** Of the original bytes; all of them stand in the entry. */
const SHOWN_BYTES = 4_096;

type Item = Answer<typeof sentMessageSchema>;
type Fate = (typeof FATES)[number];

const NONE: MessageTraces = { readings: [], signals: [], commands: [], rejected: [] };

/** A message that got in, with what the stages made of it. */
export function messageItem(
  { shard, offset, data }: Entry<Uplink>,
  traces: MessageTraces = NONE,
  waits: boolean,
): Item {
  const { receivedAt, topic, kind, qos, payload } = data;
  const values = traces.readings
    // What a later message changes of an earlier value is no value of its own.
    .filter(({ data: { amendment } }) => amendment !== true)
    .flatMap(({ shard, offset, data: { device, ts, readings } }) =>
      readings.map(({ parameter, value, flag }) => ({
        ...{ device, parameter, ts, value, flag, entry: { shard, offset } },
      })),
    );
  const command = traces.commands[0]?.data.id;
  return iso({
    ...{ stream: 'uplink' as const, shard, offset, receivedAt, topic, kind, qos },
    ...shownBytes(payload, payload.length),
    became: fateOf(traces, waits),
    values: values.length,
    readings: values.slice(0, SHOWN),
    signals: traces.signals.slice(0, SHOWN).map(({ shard, offset, data: { device, type } }) => ({
      ...{ device, type, entry: { shard, offset } },
    })),
    ...defined({ command }),
    refusals: traces.rejected.slice(0, SHOWN).map(refusalOf),
  });
}

/** What was refused at the door, of which there is nothing else. */
export function refusedItem(entry: Entry<Rejection>): Item {
  const { shard, offset, data } = entry;
  const { receivedAt, topic, payload, payloadBytes } = data;
  return iso({
    ...{ stream: 'rejected' as const, shard, offset, receivedAt, ...defined({ topic }) },
    ...shownBytes(payload, payloadBytes),
    ...{ became: 'refused' as const, values: 0, readings: [], signals: [], refusals: [refusalOf(entry)] },
  });
}

function shownBytes(payload: Uint8Array | undefined, payloadBytes: number | undefined) {
  return { ...defined({ payloadBytes }), ...shownPayload(payload?.subarray(0, SHOWN_BYTES)) };
}

function refusalOf({ shard, offset, data: { reason, detail, count } }: Entry<Rejection>) {
  return { reason, detail, count, entry: { shard, offset } };
}

/** The first that applies, as the account of all messages counts them. */
function fateOf({ readings, signals, commands, rejected }: MessageTraces, waits: boolean): Fate {
  if (readings.length > 0) return 'readings';
  if (signals.length > 0) return 'signal';
  if (commands.length > 0) return 'commandResult';
  if (rejected.length === 0) return waits ? 'waiting' : 'unknown';
  const reasons = new Set(rejected.map(({ data: { reason } }) => reason));
  const isRefused = [...reasons].some((reason) => reason !== 'nothing_to_keep' && reason !== 'repeated');
  if (isRefused) return 'refused';
  return reasons.has('nothing_to_keep') ? 'ignored' : 'repeated';
}
