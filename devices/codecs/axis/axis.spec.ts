import type { CodecResult } from '#libs/telemetry';
import { describeCodecContract, fixture, message } from '../codec.contract.js';
import { codec } from './index.js';

const ONVIF = { topic: 'MyDevice/onvif-ej/VideoSource/SignalLoss/&1', parts: {} };
const ONVIF_EVENT = { UtcTime: '2026-01-02T03:04:05.321Z', Source: { Source: '1' }, Data: { State: 'true' } };
const decode = (payload: unknown, where = {}): CodecResult => codec.decode(message(payload, where));
const event = (topic: string, data: object) => ({
  topic,
  timestamp: 1767323045000,
  message: { source: { channel: '1' }, key: {}, data },
});

describeCodecContract(codec, {
  inputs: [{ topic: 'axis/ACCC8E000000/event/tns:onvif/Device', parts: {} }, ONVIF],
  samples: [fixture('axis', 'event_pir.json'), Buffer.from(JSON.stringify(ONVIF_EVENT))],
});

describe('axis', () => {
  it('reads an event; its state is a boolean though it is written "0", the sensor is no boolean', () => {
    expect(decode(fixture('axis', 'event_pir.json'))).toEqual({
      outputs: [
        {
          kind: 'event',
          ts: 1590045190230,
          name: 'Device/Sensor/PIR',
          data: { sensor: '0', state: false },
        },
      ],
      refusals: [],
    });
  });

  it.each([
    ['onvif:VideoSource/axis:Tampering', { tampering: '1' }, 'VideoSource/Tampering', { tampering: '1' }],
    ['onvif:VideoSource/axis:DayNightVision', { day: '1' }, 'VideoSource/DayNightVision', { day: true }],
    [
      'tns1:VideoSource/tnsaxis:LiveStreamAccessed',
      { accessed: '0' },
      'VideoSource/LiveStreamAccessed',
      { accessed: false },
    ],
    [
      'onvif:Device/axis:HardwareFailure/StorageFailure',
      { disruption: '1' },
      'Device/HardwareFailure/StorageFailure',
      { disruption: true },
    ],
    [
      'axis:CameraApplicationPlatform/ObjectAnalytics/Count',
      { total: '1', state: 'ON' },
      'CameraApplicationPlatform/ObjectAnalytics/Count',
      { total: '1', state: 'ON' },
    ],
  ])('reads %s', (topic, data, name, read) => {
    expect(decode(event(topic, data)).outputs).toEqual([
      { kind: 'event', ts: 1767323045000, name, data: { channel: '1', ...read } },
    ]);
  });

  it('keeps the end of a name that is too long', () => {
    const [output] = decode(event(`onvif:${'a'.repeat(80)}/axis:End`, {})).outputs;
    expect(output).toMatchObject({ name: expect.stringMatching(/^a{60}\/End$/) });
  });

  it('refuses a timestamp that is no epoch in milliseconds, and takes an absent one for none', () => {
    expect(decode({ ...event('a', {}), timestamp: '1767323045000' }).refusals).toMatchObject([
      { reason: 'number_as_text' },
    ]);
    expect(decode({ ...event('a', {}), timestamp: 1e300 }).refusals).toMatchObject([
      { reason: 'schema_violation' },
    ]);
    expect(decode({ ...event('a', {}), timestamp: null }).outputs).toMatchObject([{ ts: undefined }]);
    expect(decode({ ...event('a', {}), timestamp: undefined }).outputs).toMatchObject([{ ts: undefined }]);
  });

  it('refuses what is neither form', () => {
    expect(decode({ state: '1' }).refusals).toMatchObject([{ reason: 'unreadable' }]);
    expect(decode([], ONVIF).refusals).toMatchObject([{ reason: 'schema_violation' }]);
    expect(decode(event('onvif:', {})).refusals).toMatchObject([{ reason: 'schema_violation' }]);
    expect(decode(ONVIF_EVENT).refusals).toMatchObject([{ reason: 'unreadable' }]);
  });
});

describe('axis in the form of ONVIF', () => {
  it('reads an event by its topic', () => {
    expect(decode(ONVIF_EVENT, ONVIF)).toEqual({
      outputs: [
        {
          kind: 'event',
          ts: Date.UTC(2026, 0, 2, 3, 4, 5, 321),
          name: 'VideoSource/SignalLoss',
          data: { Source: '1', State: true },
        },
      ],
      refusals: [],
    });
  });

  it('leaves the values of the source and foreign namespaces out of the name', () => {
    expect(
      decode(
        {
          UtcTime: '2026-01-02T03:04:05Z',
          Source: { Rule: 'r' },
          Data: { ObjectId: 15, Shape: { Point: [] } },
        },
        { topic: 'cam/onvif-ej/RuleEngine/acme:LineDetector/Crossed/&1/2/r' },
      ).outputs,
    ).toMatchObject([{ name: 'RuleEngine/LineDetector/Crossed', data: { Rule: 'r', ObjectId: 15 } }]);
  });

  it('takes UtcTime for UTC without a zone too', () => {
    expect(decode({ ...ONVIF_EVENT, UtcTime: '2026-01-02T03:04:05' }, ONVIF).outputs).toMatchObject([
      { ts: Date.UTC(2026, 0, 2, 3, 4, 5) },
    ]);
  });

  it('takes an empty payload for the deletion of a property', () => {
    expect(decode(new Uint8Array(), ONVIF)).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'a property was deleted',
    });
  });
});
