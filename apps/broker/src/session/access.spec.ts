import { TopicMappings } from '#libs/telemetry';
import { publishTarget, type MqttPrincipal } from './access.js';

const mappings = new TopicMappings([
  { pattern: 'tele/{device}/SENSOR', codec: 'tasmota', aliases: { sds011: 'udara-01' } },
  { pattern: 'frigate/stats', codec: 'frigate' },
]);
const device: MqttPrincipal = {
  kind: 'device',
  id: 'udara-01',
  site: 'betung',
  speaksFor: new Map([['udara-02', 'pangkalan']]),
};
const account: MqttPrincipal = {
  kind: 'account',
  id: 'jembatan',
  account: {
    id: 'jembatan',
    publish: ['tele/#', 'frigate/#', 'pantau/v1/betung/+/telemetry'],
    subscribe: [],
  },
};
const betung = { site: 'betung', device: 'udara-01', kind: 'foreign' };

describe('publishTarget', () => {
  it.each([
    ['pantau/v1/betung/udara-01/telemetry', { ...betung, kind: 'telemetry' }],
    ['pantau/v1/pangkalan/udara-02/event', { site: 'pangkalan', device: 'udara-02', kind: 'event' }],
    ['pantau/v1/pangkalan/udara-01/telemetry', undefined],
    ['pantau/v1/betung/udara-03/telemetry', undefined],
    ['tele/udara-01/SENSOR', betung],
    ['tele/SDS011/SENSOR', betung],
    ['tele/udara-02/SENSOR', { site: 'pangkalan', device: 'udara-02', kind: 'foreign' }],
    ['tele/udara-03/SENSOR', undefined],
    ['tele/udara-01/STATE', undefined],
    ['frigate/stats', betung],
  ])('lets a device write to %s: %p', (topic, expected) =>
    expect(publishTarget(device, topic, mappings)).toEqual(expected),
  );

  it.each([
    ['pantau/v1/betung/udara-01/telemetry', { ...betung, kind: 'telemetry' }],
    ['pantau/v1/betung/udara-01/heartbeat', undefined],
    // Whether the device exists, and where, only the registry knows.
    ['tele/udara-09/SENSOR', { site: undefined, device: 'udara-09', kind: 'foreign' }],
    ['frigate/stats', 'routed'],
    ['tele/x/y', 'routed'],
    ['$SYS/x', undefined],
  ])('lets an account write to %s: %p', (topic, expected) =>
    expect(publishTarget(account, topic, mappings)).toEqual(expected),
  );
});
