import { serving, signedIn } from '../gateway.fixture.js';

const LISTENERS = [{ protocol: 'mqtt', port: 1883, isLocal: true }];

describe('where devices connect', () => {
  it('is the host by which Pantau was asked, with the ports that it listens on', () =>
    serving({}, async ({ url }) => {
      const ask = await signedIn(url);
      expect(await (await ask('GET', 'broker')).json()).toEqual({ host: '127.0.0.1', listeners: LISTENERS });
      expect((await fetch(`${url}/api/v1/broker`)).status).toBe(401);
    }));

  it('is the public host where there is one', () =>
    serving({ publicUrl: { origin: 'https://pantau.example:8443', path: '' } }, async ({ url, tokens }) => {
      const token = await tokens.create('spec', ['register'], 3_600_000);
      const answer = await fetch(`${url}/api/v1/broker`, { headers: { authorization: `Bearer ${token}` } });
      expect(await answer.json()).toEqual({ host: 'pantau.example', listeners: LISTENERS });
    }));
});
