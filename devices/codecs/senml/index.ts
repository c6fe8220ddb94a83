import { COMMON_NAMES } from '../parameter-names.js';
import { isObject } from '#libs/kernel';
import {
  readJson,
  type Codec,
  type CodecInput,
  type CodecResult,
  type MeasuredParameter,
  type Unit,
} from '#libs/telemetry';
import { Findings, refusal, refused } from '../reading.js';
import { unreadNumbers } from '../unread.js';
import { looksLikeCbor, readCbor } from './cbor.js';
import { resolve } from './resolve.js';

/** Units of the SenML registry (RFC 8428, section 12.1) and of secondary units (RFC 8798, section 3) that Pantau knows. */
const UNITS: ReadonlyMap<string, Unit> = new Map([
  ['Cel', 'degC'],
  ['K', 'K'],
  ['%RH', '%'],
  ['/', 'fraction'],
  ['/100', '%'],
  ['ug/m3', 'ug/m3'],
  ['ppm', 'ppm'],
] as const);

/** Last segments of names, lower-cased. RFC 8428 gives names to no quantity. */
const NAMES: ReadonlyMap<string, MeasuredParameter> = new Map([
  ...COMMON_NAMES,
  ['temp', 'temperature'],
  ['rh', 'humidity'],
] as const);

const CUT_OFF = {
  refusal: refusal('unreadable', 'payload', 'expected a SenML pack in CBOR, whole and well-formed'),
};

const REMEDY = 'state u or bu with Cel, K, %RH, /, ug/m3 or ppm';

/** What RFC 8428, section 4, defines and is read, or says nothing of the air (section 5); the sum `s` is not read. */
const FIELDS = /^(?:bn|bt|bu|bv|bver|n|u|t|ut|v|vs|vb|vd)$/;

/** SenML packs in JSON or CBOR (RFC 8428). What stands before the last segment of a name is the device. */
export const codec: Codec = { name: 'senml', version: 2, decode };

function decode({ payload, receivedAt }: CodecInput): CodecResult {
  const parsed = looksLikeCbor(payload) ? (readCbor(payload) ?? CUT_OFF) : readJson(payload);
  if ('refusal' in parsed) return refused(parsed.refusal);
  if (!Array.isArray(parsed.value))
    return refused(refusal('schema_violation', 'payload', 'expected a list of SenML records'));
  const pack = resolve(parsed.value, receivedAt);
  if ('refusal' in pack) return refused(pack.refusal);
  const findings = new Findings();
  findings.refuse(...pack.refusals);
  const unread = (parsed.value as unknown[]).flatMap((record, i) =>
    isObject(record) ? unreadNumbers(record, `[${i}]`, FIELDS) : [],
  );
  for (const { n, u, t, v, vs, where } of pack.records) {
    const { source, last } = split(n);
    const place = { ts: Math.round(t * 1000), ...(source === '' ? {} : { source }) };
    const known = NAMES.get(last.toLowerCase());
    if (known !== undefined)
      findings
        .at(place)
        .measure(where, v ?? vs, known, u === undefined ? undefined : UNITS.get(u), REMEDY, { sensor: last });
    else if (last.toLowerCase() === 'pressure' && u === 'hPa') findings.at(place).pressure(where, v, 1);
    else if (v !== undefined) unread.push(...unreadNumbers({ [n === '' ? where : n]: v }));
  }
  return findings.result('no record has a name that Pantau measures', unread);
}

function split(name: string): { readonly source: string; readonly last: string } {
  const at = Math.max(name.lastIndexOf(':'), name.lastIndexOf('/'));
  return { source: at < 0 ? '' : name.slice(0, at).slice(0, 200), last: name.slice(at + 1) };
}
