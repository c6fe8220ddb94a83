import { isObject } from '#libs/kernel';
import type { Codec, CodecInput, CodecResult } from '#libs/telemetry';
import { eventData } from '../event-data.js';
import { ignored, readObject, refusal, refused, resultOf, type Members } from '../reading.js';
import { readDateTime, readEpoch, type Instant } from '../reading-time.js';
import { unreadNumbers } from '../unread.js';

/**
 * Data items that the event declarations of the devices give the type boolean; on MQTT they are the texts "0" and "1", in the
 * form of ONVIF also "true" and "false". Other items may be counts or identifiers and stay as they are.
 */
const BOOLEAN_ITEMS: ReadonlySet<string> = new Set([
  'accessed',
  'active',
  'day',
  'disruption',
  'LogicalState',
  'ready',
  'state',
  'State',
  'triggered',
]);

const BOOLEAN_TEXTS: ReadonlyMap<string, boolean> = new Map([
  ['0', false],
  ['1', true],
  ['false', false],
  ['true', true],
]);

/** `{prefix}/onvif-ej/{topic}[/&{source values}]`. */
const ONVIF_TOPIC = /\/onvif-ej\/(.+?)(?:\/&.*)?$/;

/**
 * Events of Axis devices over MQTT, in Axis's own form (VAPIX "MQTT Event Bridge") or in that of ONVIF (Core
 * Specification, "JSON Event Payload", topics with the level `onvif-ej`). They are events, not proof that pictures advance.
 */
export const codec: Codec = { name: 'axis', version: 2, names: 'cameras', decode };

function decode({ topic, payload }: CodecInput): CodecResult {
  // ONVIF Core, "Payload for deleted properties": it clears what the broker retains.
  if (payload.length === 0) return ignored('a property was deleted');
  const read = readObject(payload);
  if ('refusal' in read) return refused(read.refusal);
  const event = read.object;
  const { message } = event;
  if (typeof event['topic'] === 'string' && isObject(message)) {
    const { source, key, data } = message;
    return eventOf(
      event['topic'],
      readEpoch('timestamp', event['timestamp'] ?? undefined, 1),
      [source, key],
      data,
      event,
    );
  }
  const onvifTopic = ONVIF_TOPIC.exec(topic)?.[1];
  if (onvifTopic !== undefined && event['UtcTime'] !== undefined) {
    // UTC by its definition, whether a zone is written or not.
    const time = readDateTime('UtcTime', event['UtcTime'] ?? undefined, 0);
    return eventOf(onvifTopic, time, [event['Source']], event['Data'], event);
  }
  return refused(
    refusal(
      'unreadable',
      'payload',
      'expected topic, timestamp and message, or UtcTime and Source below a topic …/onvif-ej/…',
    ),
  );
}

const ENVELOPE = /^(?:timestamp|UtcTime|topic)$/;
/** Where the items stand that an event carries. */
const ITEM = /^(?:message\.(?:source|key|data)|Source|Data)\./;

/**
 * @param origins - which part of the device it is about
 * @param data - what happened
 * @param message - the whole of it
 */
function eventOf(
  topic: string,
  time: Instant,
  origins: readonly unknown[],
  data: unknown,
  message: Members,
): CodecResult {
  if ('refusal' in time) return refused(time.refusal);
  // Namespaces differ between the forms and between firmwares: `onvif:`, `tns1:`, `axis:`, `tnsaxis:`.
  const name = topic
    .split('/')
    .map((level) => level.slice(level.indexOf(':') + 1))
    .join('/')
    .slice(-64);
  if (name === '') return refused(refusal('schema_violation', 'topic', 'expected the name of the event'));
  const items = Object.fromEntries([
    ...origins.flatMap((origin) => (isObject(origin) ? Object.entries(origin) : [])),
    ...(isObject(data) ? booleansOf(data) : []),
  ]);
  const kept = eventData(items);
  const unread = unreadNumbers(message, '', ENVELOPE).filter(
    (path) => !Object.hasOwn(kept, path.replace(ITEM, '')),
  );
  return resultOf([{ kind: 'event', ts: time.ts, name, data: kept }], [], '', unread);
}

function booleansOf(data: Members): [string, unknown][] {
  return Object.entries(data).map(([name, value]) => [
    name,
    BOOLEAN_ITEMS.has(name) && typeof value === 'string' ? (BOOLEAN_TEXTS.get(value) ?? value) : value,
  ]);
}
