import type { CodecResult } from '#libs/telemetry';
import { describeCodecContract, fixture, message } from '../codec.contract.js';
import { codec } from './index.js';

const decode = (topic: string, payload: unknown, parts = {}): CodecResult =>
  codec.decode(message(payload, { topic, parts }));
const text = (name: string): string => fixture('frigate', name).toString();
const NEWER = {
  cameras: {
    gerbang: { camera_fps: 5.1, process_fps: 5, skipped_fps: 0, detection_fps: 0, pid: 7 },
    parkir: { camera_fps: 0, process_fps: 0, skipped_fps: 0, detection_fps: 0, pid: 8 },
  },
  detectors: { ov: { inference_speed: 10 } },
  service: { uptime: 60, version: '0.14.1' },
  camera_fps: 5.1,
};

describeCodecContract(codec, {
  inputs: [
    { topic: 'frigate/stats', parts: {} },
    { topic: 'frigate/available', parts: {} },
    { topic: 'frigate/gerbang/status/detect', parts: {} },
    { topic: 'frigate/events', parts: {} },
    {},
  ],
  samples: [
    fixture('frigate', 'stats_v0.8.json'),
    fixture('frigate', 'available_online.txt'),
    fixture('frigate', 'camera_status_offline.txt'),
    Buffer.from(JSON.stringify(NEWER)),
  ],
});

describe('frigate/available', () => {
  it.each(['online', 'offline'])('says that Frigate is %s', (state) => {
    expect(decode('frigate/available', text(`available_${state}.txt`))).toEqual({
      outputs: [{ kind: 'status', ts: undefined, state }],
      refusals: [],
    });
  });

  it('refuses another word', () => {
    expect(decode('frigate/available', 'maybe').refusals).toEqual([
      { reason: 'schema_violation', detail: 'payload: expected online or offline, found the text "maybe"' },
    ]);
  });
});

describe('frigate/{camera}/status/{role}', () => {
  const topic = 'frigate/gerbang/status/detect';

  it('says whether the camera works', () => {
    expect(decode(topic, text('camera_status_online.txt')).outputs).toEqual([
      { kind: 'heartbeat', ts: undefined, source: 'gerbang', state: 'up' },
    ]);
    expect(decode(topic, text('camera_status_offline.txt')).outputs).toEqual([
      {
        kind: 'heartbeat',
        ts: undefined,
        source: 'gerbang',
        state: 'down',
        reason: 'Frigate: role detect is offline',
      },
    ]);
  });

  it('leaves the name to the topic pattern where that holds the device', () => {
    expect(decode(topic, 'online', { device: 'gerbang' }).outputs).toEqual([
      { kind: 'heartbeat', ts: undefined, state: 'up' },
    ]);
  });

  it('takes a role that is switched off for no word on the camera', () => {
    expect(decode(topic, 'disabled')).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'role detect is switched off in Frigate',
    });
    expect(decode(topic, 'on').refusals).toMatchObject([{ reason: 'schema_violation' }]);
  });
});

describe('frigate/stats', () => {
  it('reads the layout of 0.8, in which cameras stand beside the detectors', () => {
    expect(decode('frigate/stats', fixture('frigate', 'stats_v0.8.json'))).toEqual({
      outputs: [{ kind: 'heartbeat', ts: undefined, source: 'front_door', state: 'up' }],
      refusals: [],
    });
  });

  it('reads the newer layout; a camera without frames is down', () => {
    expect(decode('nvr/stats', NEWER, { device: 'nvr' })).toEqual({
      outputs: [
        { kind: 'heartbeat', ts: undefined, source: 'gerbang', state: 'up' },
        {
          kind: 'heartbeat',
          ts: undefined,
          source: 'parkir',
          state: 'down',
          reason: 'Frigate: camera_fps is 0',
        },
      ],
      refusals: [],
    });
  });

  it('refuses a rate that is no number and keeps the camera beside it', () => {
    const cameras = { a: { camera_fps: '5' }, b: { camera_fps: 5 }, c: { pid: 1 } };
    expect(decode('frigate/stats', { cameras })).toEqual({
      outputs: [{ kind: 'heartbeat', ts: undefined, source: 'b', state: 'up' }],
      refusals: [
        { reason: 'number_as_text', detail: 'a.camera_fps: expected a finite number, found the text "5"' },
      ],
    });
  });

  it('says when there is no camera', () => {
    expect(decode('frigate/stats', { service: {} }).ignored).toBe('no camera in the statistics');
    expect(decode('frigate/stats', []).refusals).toMatchObject([{ reason: 'schema_violation' }]);
  });
});

it.each(['frigate/events', 'frigate/gerbang/person', 'frigate/gerbang/person/snapshot', ''])(
  'ignores %j',
  (topic) => {
    expect(decode(topic, Buffer.from([0xff, 0xd8])).ignored).toBe(
      'the topic says nothing of the life of a camera',
    );
  },
);
