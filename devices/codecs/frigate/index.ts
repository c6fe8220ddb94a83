import { isObject } from '#libs/kernel';
import {
  readJson,
  STATE_WORD,
  type Codec,
  type CodecHeartbeat,
  type CodecInput,
  type CodecResult,
} from '#libs/telemetry';
import {
  Findings,
  ignored,
  readNumber,
  readObject,
  refusal,
  refused,
  shown,
  sourceUnless,
  statusOfWord,
  type Members,
} from '../reading.js';
import { unreadNumbers } from '../unread.js';

/**
 * Frigate over MQTT, read for the life of its cameras: `frigate/available`, `frigate/stats`,
 * `frigate/{camera}/enabled/state` and `frigate/{camera}/status/{role}`; the prefix may be another.
 *
 * Source: Frigate documentation, "MQTT". None of these messages states a time: arrival counts.
 */
export const codec: Codec = { name: 'frigate', version: 2, names: 'cameras', decode };

/** `offline` is the will; since 0.18 an orderly end says `stopped` (blakeblackshear/frigate #22527). */
const AVAILABLE = { online: 'online', offline: 'offline', stopped: 'offline' } as const;

const SWITCHED_OFF = { state: 'planned', reason: 'Frigate: switched off by its operator' } as const;

type State = Pick<CodecHeartbeat, 'state' | 'stated' | 'reason'>;

function decode(input: CodecInput): CodecResult {
  const levels = input.topic.split('/');
  const last = levels.at(-1) ?? '';
  if (last === 'stats') return stats(input);
  if (last === 'available') return statusOfWord('payload', textOf(input), AVAILABLE);
  if (last === 'state' && levels.at(-2) === 'enabled') return enabled(input, levels.at(-3) ?? '');
  if (levels.at(-2) === 'status') return roleStatus(input, levels.at(-3) ?? '', last);
  return ignored('the topic says nothing of the life of a camera', unreadIn(input, last));
}

/** A topic may hold a bare number, or an object of them. */
function unreadIn({ payload }: CodecInput, name: string): readonly string[] {
  const parsed = readJson(payload);
  return 'refusal' in parsed ? [] : unreadNumbers({ [name]: parsed.value });
}

function textOf({ payload }: CodecInput): string {
  return new TextDecoder().decode(payload).trim();
}

/** The switch of a camera: its frames stop with it, which is no outage, and the statistics do not tell. */
function enabled(input: CodecInput, camera: string): CodecResult {
  const text = textOf(input);
  const off = switchedOff(input);
  if (text === 'ON')
    return {
      ...ignored('the camera is switched on; the statistics tell whether it works'),
      memory: { off: [...off].filter((other) => other !== camera) },
    };
  if (text !== 'OFF')
    return refused(refusal('schema_violation', 'payload', `expected ON or OFF, found ${shown(text)}`));
  const place = { ts: undefined, ...sourceUnless(input.parts, camera) };
  return {
    outputs: [{ kind: 'heartbeat', ...place, ...SWITCHED_OFF }],
    refusals: [],
    memory: { off: [...new Set([...off, camera])].slice(-MAX_CAMERAS) },
  };
}

/** More cameras than any server has; bounds what is remembered of a hostile one. */
const MAX_CAMERAS = 500;

/** The cameras that are switched off, as far as earlier messages say. */
function switchedOff({ memory }: CodecInput): ReadonlySet<string> {
  const off = isObject(memory) ? memory['off'] : undefined;
  return new Set(Array.isArray(off) ? off.filter((name) => typeof name === 'string') : []);
}

function roleStatus(input: CodecInput, camera: string, role: string): CodecResult {
  const text = textOf(input);
  if (!STATE_WORD.test(text))
    return refused(
      refusal('schema_violation', 'payload', `expected online, offline or disabled, found ${shown(text)}`),
    );
  const place = { ts: undefined, ...sourceUnless(input.parts, camera) };
  const outputs = [{ kind: 'heartbeat', ...place, ...stateOfRole(text, role.slice(0, 40)) } as const];
  return { outputs, refusals: [] };
}

function stateOfRole(word: string, role: string): State {
  switch (word) {
    case 'online':
      return { state: 'up' };
    case 'offline':
      return { state: 'down', reason: `Frigate: role ${role} is offline` };
    case 'disabled':
      return SWITCHED_OFF;
    default:
      return { state: 'unknown', stated: word };
  }
}

function stats(input: CodecInput): CodecResult {
  const read = readObject(input.payload);
  if ('refusal' in read) return refused(read.refusal);
  const { cameras } = read.object;
  const off = switchedOff(input);
  // Cameras stand in `cameras`; before Frigate 0.13 beside the detectors at the top, told from them by camera_fps.
  const entries = Object.entries(isObject(cameras) ? cameras : read.object);
  const findings = new Findings();
  for (const [camera, figures] of entries) {
    if (!isObject(figures) || !Object.hasOwn(figures, 'camera_fps')) continue;
    const fps = readNumber(`${camera.slice(0, 60)}.camera_fps`, figures['camera_fps']);
    // One message speaks for every camera: the name is needed whatever the topic holds.
    const place = { ts: undefined, source: camera.slice(0, 200) };
    if ('refusal' in fps) findings.refuse(fps.refusal);
    else findings.add({ kind: 'heartbeat', ...place, ...stateOfCamera(fps.value, figures, off.has(camera)) });
  }
  const statistics = Object.entries(read.object).map(([name, member]) => [name, starred(member)]);
  const unread = unreadNumbers(Object.fromEntries(statistics) as Members, '', READ);
  return findings.result('no camera in the statistics', unread);
}

/** What is read of a camera. */
const READ = /^(?:camera_fps|pid|capture_pid|ffmpeg_pid)$/;

/**
 * Cameras, detectors, disks and processes come and go: where all members are objects, `*` stands for their names, or each
 * would be listed on its own.
 */
function starred(found: unknown): unknown {
  if (!isObject(found)) return found;
  const members = Object.entries(found).map(([name, member]) => [name, starred(member)] as const);
  if (members.length === 0 || !members.every(([, member]) => isObject(member)))
    return Object.fromEntries(members);
  const all = members.flatMap(([, member]) => Object.entries(member as Members));
  return { '*': Object.fromEntries(all.filter(([, value]) => value !== null)) };
}

function stateOfCamera(fps: number, figures: Members, isOff: boolean): State {
  if (fps > 0) return { state: 'up' };
  if (isOff) return SWITCHED_OFF;
  if (PROCESSES.every((name) => figures[name] === null))
    return { state: 'unknown', reason: 'Frigate: runs no process for this camera' };
  return { state: 'down', reason: 'Frigate: camera_fps is 0' };
}

/** Null without a process: a camera that is switched off has none, and its zero frames prove nothing. */
const PROCESSES = ['pid', 'capture_pid', 'ffmpeg_pid'] as const;
