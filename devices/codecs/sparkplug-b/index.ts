import { COMMON_NAMES } from '../parameter-names.js';
import { defined } from '#libs/kernel';
import type { Codec, CodecInput, CodecResult, MeasuredParameter } from '#libs/telemetry';
import { housingUnless } from '../order.js';
import { Findings, ignored, refusal, refused, sourceUnless, type Place, type Validity } from '../reading.js';
import type { Instant } from '../reading-time.js';
import { unitOfWord } from '../stated-units.js';
import { isHousekeeping, unreadNumbers } from '../unread.js';
import { birthsIn, isDeviceOf, withBirth, without, type Birth, type Born } from './births.js';
import { readPayload, type Metric, type Payload, type WireValue } from './payload.js';

/** Last segments of metric names, lower-cased. Sparkplug gives names to no quantity. */
const NAMES: ReadonlyMap<string, MeasuredParameter> = new Map(COMMON_NAMES);

const REMEDY = 'give the metric the property engUnit in its birth, such as µg/m³, ppb, °C or %';

/** Bits of the integer data types and whether they hold a sign (sparkplug_b.proto, `DataType`). */
const INTEGERS: ReadonlyMap<number, { readonly bits: number; readonly signed: boolean }> = new Map([
  [1, { bits: 8, signed: true }],
  [2, { bits: 16, signed: true }],
  [3, { bits: 32, signed: true }],
  [4, { bits: 64, signed: true }],
  [5, { bits: 8, signed: false }],
  [6, { bits: 16, signed: false }],
  [7, { bits: 32, signed: false }],
  [8, { bits: 64, signed: false }],
]);

/** The latest instant that a date can hold. */
const LAST_INSTANT = 8_640_000_000_000_000n;

/**
 * Eclipse Sparkplug B, protobuf below `spBv1.0/{group}/{type}/{node}[/{device}]`. Births define alias, data type and unit of
 * each metric; data messages lean on them.
 *
 * `seq` of the payload is not handed on: it counts the messages of node and devices together and begins anew after 255.
 *
 * Source: Sparkplug 3.0.0, chapters 4 to 6.
 */
export const codec: Codec = { name: 'sparkplug-b', version: 2, decode };

function decode(input: CodecInput): CodecResult {
  const [namespace, group = '', type = '', node, device] = input.topic.split('/');
  if (namespace !== 'spBv1.0' || (node === undefined && group !== 'STATE'))
    return refused(
      refusal('unreadable', 'topic', 'expected spBv1.0/{group}/{type}/{node} or …/{node}/{device}'),
    );
  if (group === 'STATE' || node === undefined) return ignored('the state of a host application');
  if (type === 'NCMD' || type === 'DCMD') return ignored('a command to the device');
  const message = /^([ND])(BIRTH|DATA|DEATH)$/.exec(type);
  if (message === null || (message[1] === 'D') !== (device !== undefined))
    return refused(
      refusal(
        'unreadable',
        'topic',
        'expected NBIRTH, NDATA or NDEATH of a node, DBIRTH, DDATA or DDEATH of a device',
      ),
    );
  const payload = readPayload(input.payload);
  if (payload === undefined)
    return refused(refusal('unreadable', 'payload', 'expected protobuf by sparkplug_b.proto'));
  if (payload.uuid === 'SPBV1.0_COMPRESSED')
    return refused(refusal('unreadable', 'payload', 'it is compressed; switch compression off at the node'));
  const at = device === undefined ? `${group}/${node}` : `${group}/${node}/${device}`;
  const source = sourceUnless(input.parts, device ?? node);
  const place = { ...source, ...housingUnless(input.parts, device ?? node) };
  if (message[2] === 'BIRTH') return birth(payload, at, place, birthsIn(input.memory));
  return message[2] === 'DATA'
    ? data(payload, at, place, birthsIn(input.memory))
    : death(payload, at, source, birthsIn(input.memory));
}

function birth(
  payload: Payload,
  at: string,
  source: Omit<Place, 'ts'>,
  births: readonly Birth[],
): CodecResult {
  const findings = new Findings();
  const time = instantOf(payload.timestamp, 'timestamp');
  if ('refusal' in time) return refused(time.refusal);
  findings.add({ kind: 'status', ts: time.ts, ...defined({ source: source.source }), state: 'online' });
  const unread = payload.metrics.flatMap((metric) => takeMetric(findings, metric, metric, payload, source));
  const session = sessionOf(payload);
  const isMeasured = ({ name }: Metric): boolean => name !== undefined && parameterOf(name) !== undefined;
  // Where there is no room for all, that of those that are measured comes first.
  const metrics = [
    ...payload.metrics.filter(isMeasured),
    ...payload.metrics.filter((metric) => !isMeasured(metric)),
  ];
  return findings.result(
    '',
    unread,
    withBirth(births, {
      at,
      ...(session === undefined ? {} : { session }),
      metrics: metrics.flatMap(bornOf),
    }),
  );
}

/** Of metrics that Pantau does not measure, those with an alias: data messages lean on it, and what is not read has its name. */
function bornOf({ name, alias, datatype, unit }: Metric): Born[] {
  if (name === undefined || parameterOf(name) === undefined)
    return alias === undefined ? [] : [{ alias, ...defined({ name: name?.slice(-MAX_NAME), datatype }) }];
  return [
    {
      name,
      ...(alias === undefined ? {} : { alias }),
      ...(datatype === undefined ? {} : { datatype }),
      ...(unit === undefined ? {} : { unit }),
    },
  ];
}

/** A name that is only listed keeps its end, or it could become one that is measured. */
const MAX_NAME = 100;

function data(
  payload: Payload,
  at: string,
  source: Omit<Place, 'ts'>,
  births: readonly Birth[],
): CodecResult {
  const findings = new Findings();
  const born = births.find((candidate) => candidate.at === at)?.metrics ?? [];
  const byAlias = new Map(born.map((metric) => [metric.alias, metric]));
  const byName = new Map(born.map((metric) => [metric.name, metric]));
  const unborn: string[] = [];
  const unread: string[] = [];
  for (const metric of payload.metrics) {
    const { name, alias } = metric;
    const known =
      name === undefined ? (alias === undefined ? undefined : byAlias.get(alias)) : (byName.get(name) ?? {});
    if (known === undefined) unborn.push(alias ?? 'none');
    else unread.push(...takeMetric(findings, { ...known, ...metric }, metric, payload, source));
  }
  if (unborn.length > 0)
    findings.refuse(
      refusal(
        'unreadable',
        `alias ${unborn.slice(0, 4).join(', ')}`,
        `no birth of ${at.slice(0, 100)} names it; have the node send its births again (Node Control/Rebirth)`,
      ),
    );
  return findings.result('no metric is one that Pantau measures', unread);
}

function death(
  payload: Payload,
  at: string,
  source: Omit<Place, 'ts'>,
  births: readonly Birth[],
): CodecResult {
  const born = births.find((candidate) => candidate.at === at)?.session;
  const ended = sessionOf(payload);
  if (born !== undefined && ended !== undefined && born !== ended)
    return ignored('the death of an earlier session');
  const findings = new Findings();
  // The will of a node is written when it connects: a time in it is not that of its death.
  findings.add({ kind: 'status', ts: undefined, ...source, state: 'offline' });
  // The death of a node is that of its devices; they send none of their own.
  for (const { at: device } of births.filter((candidate) => isDeviceOf(candidate, at)))
    findings.add({ kind: 'status', ts: undefined, source: device.slice(at.length + 1), state: 'offline' });
  return findings.result(
    '',
    payload.metrics.flatMap((metric) => unreadIn(metric, metric)),
    without(births, at),
  );
}

/** `bdSeq`, which tells the sessions of a node apart. */
function sessionOf({ metrics }: Payload): number | undefined {
  const value = metrics.find(({ name }) => name === 'bdSeq')?.value;
  return value?.kind === 'integer' ? Number(value.bits) : undefined;
}

/**
 * @param known - name, data type and unit, from the birth where the metric does not state them itself
 * @returns the name of a number that is not read
 */
function takeMetric(
  findings: Findings,
  known: Born,
  metric: Metric,
  payload: Payload,
  source: Omit<Place, 'ts'>,
): readonly string[] {
  const { name, unit } = known;
  const parameter = name === undefined ? undefined : parameterOf(name);
  if (name === undefined || parameter === undefined) return unreadIn(known, metric);
  if (metric.isNull || metric.value === undefined) return [];
  const time = instantOf(metric.timestamp ?? payload.timestamp, `${name.slice(0, 60)}.timestamp`);
  const value = numberOf(metric.value, known.datatype);
  if ('refusal' in time) findings.refuse(time.refusal);
  else if (value === undefined)
    findings.refuse(
      refusal(
        'unreadable',
        name,
        `expected a number with a data type, found data type ${known.datatype ?? 'none'}`,
      ),
    );
  else {
    const place = { ts: time.ts, ...source };
    const about = { ...validityOf(metric.quality), sensor: name };
    findings.at(place).measure(name, value, parameter, unitOfWord(unit), REMEDY, about);
  }
  return [];
}

/** Levels of a metric's name below which the node speaks of itself. */
const OF_THE_NODE = /^(?:bdSeq$|(?:Node|Device) (?:Control|Info)\/|Properties\/)/i;
/** Data type of a time in milliseconds. */
const DATE_TIME = 13;

/** The name of a metric that is a number, or holds some; of data sets and templates nothing is read. */
function unreadIn({ name, alias, datatype }: Born, { isNull, value }: Metric): readonly string[] {
  if (isNull || value === undefined || value.kind === 'other' || datatype === DATE_TIME) return [];
  // A birth before names were remembered leaves the alias alone.
  if (name === undefined) return [`alias ${alias ?? 'none'}`];
  const last = name.slice(name.lastIndexOf('/') + 1);
  if (OF_THE_NODE.test(name) || isHousekeeping(last)) return [];
  return value.kind !== 'text' || unreadNumbers({ value: value.text }).length > 0 ? [name] : [];
}

/** The number on the wire; text stays text and is refused as such. Undefined where the sign of an integer is not known. */
function numberOf(value: WireValue, datatype: number | undefined): number | string | undefined {
  if (value.kind === 'real') return value.number;
  if (value.kind === 'text') return value.text;
  const integer = datatype === undefined ? undefined : INTEGERS.get(datatype);
  if (value.kind !== 'integer' || integer === undefined) return undefined;
  return Number(
    integer.signed ? BigInt.asIntN(integer.bits, value.bits) : BigInt.asUintN(integer.bits, value.bits),
  );
}

/**
 * Sparkplug 3.0.0, section 6.4.14: 192 is good, 0 bad, 500 stale, and a metric without the property is good. Gateways hand
 * on OPC's codes too, in which the highest two of eight bits say good, uncertain or bad.
 */
function validityOf(quality: number | undefined): Validity {
  if (quality === undefined || (quality >= 192 && quality <= 255)) return {};
  if (quality >= 0 && quality < 64)
    return { bad: `which the gateway calls bad (Quality ${quality}); check the sensor` };
  return { suspect: Number.isNaN(quality) ? 'Quality is no integer' : `Quality ${quality}` };
}

function parameterOf(name: string): MeasuredParameter | undefined {
  return NAMES.get(name.slice(name.lastIndexOf('/') + 1).toLowerCase());
}

function instantOf(timestamp: bigint | undefined, path: string): Instant {
  if (timestamp === undefined) return { ts: undefined };
  return timestamp <= LAST_INSTANT
    ? { ts: Number(timestamp) }
    : {
        refusal: refusal('schema_violation', path, `expected milliseconds of an instant, found ${timestamp}`),
      };
}
