import { configSchema } from '#libs/platform';
import { brokerListeners } from './broker-listeners.js';

const of = (config: object) => brokerListeners(configSchema.parse(config));

describe('where devices are told to connect', () => {
  it('is each port that is open, and which of them nobody else reaches', () => {
    expect(of({})).toEqual([
      { protocol: 'mqtt', port: 1883, isLocal: true },
      { protocol: 'http', port: 8081, isLocal: true },
    ]);
    expect(
      of({
        mqtt: { host: '0.0.0.0', port: false, tls: {}, certificate: { key: 'k', cert: 'c' } },
        http: { host: '::1', port: 9000 },
        httpIntake: { host: '10.0.0.2', port: 9100 },
      }),
    ).toEqual([
      { protocol: 'mqtts', port: 8883, isLocal: false },
      { protocol: 'http', port: 9100, isLocal: false },
    ]);
  });

  it('is the port of the API for those that post where there is no other, and nothing where nobody knows it', () => {
    expect(of({ http: { host: '0.0.0.0', port: 9000 }, httpIntake: { port: false } })).toContainEqual({
      ...{ protocol: 'http', port: 9000, isLocal: false },
    });
    expect(of({ mqtt: { port: 0 }, http: { port: 0 } })).toEqual([]);
  });
});
