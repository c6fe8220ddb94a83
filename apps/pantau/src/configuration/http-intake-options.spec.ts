import { configSchema } from '#libs/platform';
import { httpIntakeListener } from './http-intake-options.js';

const where = (settings: object): ReturnType<typeof httpIntakeListener> =>
  httpIntakeListener(configSchema.parse(settings));

describe('where devices post', () => {
  it('is beside the API, unless the configuration says where', () => {
    const listener = { host: '127.0.0.1', port: 8081, isChosen: false };
    expect(where({})).toEqual({ listener });
    expect(where({ http: { host: '0.0.0.0', port: 18080 } })).toEqual({
      listener: { ...listener, host: '0.0.0.0', port: 18081 },
    });
    expect(where({ http: { port: 0 } })).toEqual({ listener: { ...listener, port: 0 } });
    const chosen = { host: '10.0.0.1', port: 8081, isChosen: true };
    expect(where({ httpIntake: { host: '10.0.0.1', port: 8081 } })).toEqual({ listener: chosen });
    expect(where({ httpIntake: { host: '10.0.0.1' } })).toEqual({ listener: chosen });
    expect(where({ httpIntake: { port: false } })).toEqual({ listener: undefined });
  });

  it.each([
    ['mqtt.port', { http: { port: 1882 } }],
    ['mqtt.tls.port', { http: { port: 8882 }, mqtt: { tls: {} } }],
    ['mqtt.ws.port', { http: { port: 8082 }, mqtt: { ws: {} } }],
    ['mqtt.wss.port', { mqtt: { wss: { port: 8081 } } }],
    ['metrics.port', { http: { port: 9463 } }],
  ])('is no port of its own where %s has the one beside the API', (key, settings) => {
    const { listener, noListener } = where(settings);
    expect([listener, noListener]).toEqual([undefined, expect.stringContaining(key)]);
    expect(noListener).toContain('httpIntake.port');
  });

  it('is no port of its own behind the last one', () => {
    const { listener, noListener } = where({ http: { port: 65_535 } });
    expect([listener, noListener]).toEqual([undefined, expect.stringContaining('65535')]);
  });
});
