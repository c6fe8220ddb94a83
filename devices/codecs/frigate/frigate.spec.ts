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
    { topic: 'frigate/gerbang/enabled/state', parts: {} },
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

  it('says that Frigate is offline when it was stopped in order', () => {
    expect(decode('frigate/available', 'stopped').outputs).toEqual([
      { kind: 'status', ts: undefined, state: 'offline' },
    ]);
  });

  it('keeps a word that it does not know, and calls the state unknown', () => {
    expect(decode('frigate/available', 'restarting').outputs).toEqual([
      { kind: 'status', ts: undefined, state: 'unknown', stated: 'restarting' },
    ]);
    expect(decode('frigate/available', '{}').refusals).toMatchObject([{ reason: 'schema_violation' }]);
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

  it('says that a camera is off on purpose, and keeps words that it does not know', () => {
    const [planned, unknown] = ['disabled', 'buffering'].map((word) => decode(topic, word).outputs[0]);
    expect(planned).toMatchObject({ state: 'planned', reason: 'Frigate: switched off by its operator' });
    expect(unknown).toMatchObject({ state: 'unknown', stated: 'buffering' });
    expect(decode(topic, '1').refusals).toMatchObject([{ reason: 'schema_violation' }]);
  });
});

describe('frigate/stats', () => {
  it('reads the layout of 0.8, in which cameras stand beside the detectors', () => {
    expect(decode('frigate/stats', fixture('frigate', 'stats_v0.8.json'))).toEqual({
      outputs: [{ kind: 'heartbeat', ts: undefined, source: 'front_door', state: 'up' }],
      refusals: [],
      unread: [
        'detection_fps',
        'detectors.*.detection_start',
        'detectors.*.inference_speed',
        'front_door.detection_fps',
        'front_door.process_fps',
        'front_door.skipped_fps',
        'service.storage.*.free',
        'service.storage.*.total',
        'service.storage.*.used',
      ],
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
      unread: [
        'cameras.*.process_fps',
        'cameras.*.skipped_fps',
        'cameras.*.detection_fps',
        'detectors.*.inference_speed',
      ],
    });
  });

  it('takes no frames of a camera that has no process for no proof', () => {
    const gone = { camera_fps: 0, pid: null, capture_pid: null, ffmpeg_pid: null };
    expect(decode('frigate/stats', { cameras: { gerbang: gone } }).outputs).toMatchObject([
      { source: 'gerbang', state: 'unknown', reason: 'Frigate: runs no process for this camera' },
    ]);
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

describe('frigate/{camera}/enabled/state', () => {
  const topic = 'frigate/gerbang/enabled/state';
  const zero = { cameras: { gerbang: { camera_fps: 0, pid: 7 }, parkir: { camera_fps: 0, pid: 8 } } };
  const after = (payload: unknown, memory: unknown, where = topic): CodecResult =>
    codec.decode(message(payload, { topic: where, memory }));
  const states = ({ outputs }: CodecResult): unknown[] =>
    outputs.map((output) => [output.source, 'state' in output && output.state]);

  it('tells a camera that its operator switched off from one that is broken, until it is switched on', () => {
    const off = after('OFF', undefined);
    expect(states(off)).toEqual([['gerbang', 'planned']]);
    expect(states(after(zero, off.memory, 'frigate/stats'))).toEqual([
      ['gerbang', 'planned'],
      ['parkir', 'down'],
    ]);
    const on = after('ON', off.memory);
    expect(on).toMatchObject({ outputs: [], refusals: [] });
    expect(states(after(zero, on.memory, 'frigate/stats'))).toEqual([
      ['gerbang', 'down'],
      ['parkir', 'down'],
    ]);
  });

  it('remembers each camera by itself, and no more than a server has', () => {
    let memory: unknown;
    for (let i = 0; i < 600; i++) memory = after('OFF', memory, `frigate/c${i}/enabled/state`).memory;
    expect((memory as { off: string[] }).off).toHaveLength(500);
    expect(after('maybe', memory).refusals).toMatchObject([{ reason: 'schema_violation' }]);
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

describe('recorded cases', () => {
  it('of a Frigate that was stopped in order: offline', () => {
    const { topic, payload } = JSON.parse(text('stopped.json')) as { topic: string; payload: string };
    expect(decode(topic, payload).outputs).toMatchObject([{ kind: 'status', state: 'offline' }]);
  });

  it('of a camera that its operator switched off: no outage', () => {
    const messages = JSON.parse(text('camera-switched-off.json')) as { topic: string; payload: unknown }[];
    let memory: unknown;
    const heartbeats = messages.flatMap(({ topic, payload }) => {
      const result = codec.decode(message(payload, { topic, parts: {}, memory }));
      memory = result.memory ?? memory;
      return result.outputs;
    });
    expect(heartbeats).toHaveLength(2);
    for (const heartbeat of heartbeats) expect(heartbeat).toMatchObject({ source: 'gate', state: 'planned' });
  });
});
