import { configSchema } from '#libs/platform';
import { httpIntakeListener } from './http-intake-options.js';

const listener = (settings: object): unknown => httpIntakeListener(configSchema.parse(settings));

describe('where devices post', () => {
  it('is beside the API, unless the configuration says where', () => {
    const beside = { host: '127.0.0.1', port: 8081, isChosen: false };
    expect(listener({})).toEqual(beside);
    expect(listener({ http: { host: '0.0.0.0', port: 18080 } })).toEqual({
      ...beside,
      host: '0.0.0.0',
      port: 18081,
    });
    expect(listener({ http: { port: 0 } })).toEqual({ ...beside, port: 0 });
    expect(listener({ http: { port: 65_535 } })).toBeUndefined();
    const chosen = { host: '10.0.0.1', port: 8081, isChosen: true };
    expect(listener({ httpIntake: { host: '10.0.0.1', port: 8081 } })).toEqual(chosen);
    expect(listener({ httpIntake: { port: false } })).toBeUndefined();
  });
});
