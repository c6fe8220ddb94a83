import type { Codec, CodecInput, CodecResult } from '#libs/telemetry';
import {
  Findings,
  ignored,
  isObject,
  readNumber,
  readObject,
  refusal,
  refused,
  shown,
  sourceUnless,
  status,
} from '../reading.js';

/**
 * Frigate over MQTT, read for the life of its cameras: `frigate/available`, `frigate/stats` and
 * `frigate/{camera}/status/{role}`; the prefix may be another.
 *
 * Source: Frigate documentation, "MQTT". None of these messages states a time: arrival counts.
 */
export const codec: Codec = { name: 'frigate', decode };

function decode(input: CodecInput): CodecResult {
  const levels = input.topic.split('/');
  const last = levels.at(-1) ?? '';
  if (last === 'stats') return stats(input);
  if (last === 'available') return available(textOf(input));
  if (levels.at(-2) === 'status') return roleStatus(input, levels.at(-3) ?? '', last);
  return ignored('the topic says nothing of the life of a camera');
}

function textOf({ payload }: CodecInput): string {
  return new TextDecoder().decode(payload).trim();
}

function available(state: string): CodecResult {
  return state === 'online' || state === 'offline'
    ? status(state)
    : refused(refusal('schema_violation', 'payload', `expected online or offline, found ${shown(state)}`));
}

function roleStatus(input: CodecInput, camera: string, role: string): CodecResult {
  const state = textOf(input);
  // Switched off by hand: it says nothing of whether the camera works.
  if (state === 'disabled') return ignored(`role ${role.slice(0, 40)} is switched off in Frigate`);
  if (state !== 'online' && state !== 'offline')
    return refused(
      refusal('schema_violation', 'payload', `expected online, offline or disabled, found ${shown(state)}`),
    );
  const place = { ts: undefined, ...sourceUnless(input.parts, camera) };
  return {
    outputs: [
      state === 'online'
        ? { kind: 'heartbeat', ...place, state: 'up' }
        : {
            kind: 'heartbeat',
            ...place,
            state: 'down',
            reason: `Frigate: role ${role.slice(0, 40)} is offline`,
          },
    ],
    refusals: [],
  };
}

function stats({ payload }: CodecInput): CodecResult {
  const read = readObject(payload);
  if ('refusal' in read) return refused(read.refusal);
  const { cameras } = read.object;
  // Cameras stand in `cameras`; before Frigate 0.13 beside the detectors at the top, told from them by camera_fps.
  const entries = Object.entries(isObject(cameras) ? cameras : read.object);
  const findings = new Findings();
  for (const [camera, figures] of entries) {
    if (!isObject(figures) || !Object.hasOwn(figures, 'camera_fps')) continue;
    const fps = readNumber(`${camera.slice(0, 60)}.camera_fps`, figures['camera_fps']);
    // One message speaks for every camera: the name is needed whatever the topic holds.
    const place = { ts: undefined, source: camera.slice(0, 200) };
    if ('refusal' in fps) findings.refuse(fps.refusal);
    else if (fps.value > 0) findings.add({ kind: 'heartbeat', ...place, state: 'up' });
    else findings.add({ kind: 'heartbeat', ...place, state: 'down', reason: 'Frigate: camera_fps is 0' });
  }
  return findings.result('no camera in the statistics');
}
