import { MINUTE } from '#libs/kernel';
import { serving, signedIn } from '../gateway.fixture.js';

const FILTERS = { publish: ['pantau/v1/betung/+/telemetry'], subscribe: [] };

async function json<T>(answer: Promise<Response>): Promise<T> {
  return (await (await answer).json()) as T;
}

describe('service accounts', () => {
  it('are made, listed by pages, changed by who saw them, renewed, shut out, let in and removed', () =>
    serving({}, async ({ url, credentials }) => {
      const ask = await signedIn(url);
      const made = await ask('PUT', 'service-accounts/jembatan', {
        body: FILTERS,
        headers: { 'if-none-match': '*' },
      });
      expect([made.status, await made.json()]).toEqual([200, { id: 'jembatan', ...FILTERS }]);
      const { password } = await json<{ password: string }>(
        ask('POST', 'service-accounts/jembatan/password'),
      );
      expect(await credentials.verify('jembatan', password)).toBe(true);

      await ask('PUT', 'service-accounts/zeta', { body: FILTERS });
      const page = await json<{ items: object[]; next: string }>(ask('GET', 'service-accounts?limit=1'));
      expect(page.items).toEqual([
        { id: 'jembatan', ...FILTERS, service: 'open', passwordAt: '2023-11-14T22:13:20.000Z' },
      ]);
      expect(await json(ask('GET', `service-accounts?limit=1&after=${page.next}`))).toEqual({
        items: [{ id: 'zeta', ...FILTERS, service: 'open' }],
      });

      const etag = (await ask('GET', 'service-accounts/jembatan')).headers.get('etag')!;
      const change = {
        body: { ...FILTERS, subscribe: ['$SYS/broker/uptime'] },
        headers: { 'if-match': etag },
      };
      expect((await ask('PUT', 'service-accounts/jembatan', change)).status).toBe(200);
      expect((await ask('PUT', 'service-accounts/jembatan', change)).status).toBe(412);
      // What it may do changed, not how it comes in.
      expect(await credentials.verify('jembatan', password)).toBe(true);

      const renewed = await json<{ password: string }>(ask('POST', 'service-accounts/jembatan/password'));
      expect(await credentials.verify('jembatan', password)).toBe(false);
      expect(await credentials.verify('jembatan', renewed.password)).toBe(true);
      const shut = ask('PUT', 'service-accounts/jembatan/access', { body: { service: 'revoked' } });
      expect(await json(shut)).toEqual({ service: 'revoked' });
      expect(await credentials.verify('jembatan', renewed.password)).toBe(false);
      const open = ask('PUT', 'service-accounts/jembatan/access', { body: { service: 'open' } });
      expect(await json(open)).toEqual({ service: 'open' });
      expect(await json(ask('DELETE', 'service-accounts/jembatan'))).toEqual({ ended: 'jembatan' });
      expect((await ask('GET', 'service-accounts/jembatan')).status).toBe(404);
      expect((await ask('DELETE', 'service-accounts/jembatan')).status).toBe(404);

      const log = await (await ask('GET', 'audit?limit=100')).text();
      for (const action of ['DELETE', 'PUT'])
        expect(log).toContain(`"action":"${action} /api/v1/service-accounts/{account}"`);
      expect(log).toContain('"action":"POST /api/v1/service-accounts/{account}/password"');
      expect(log).toContain('"before":{"service":"open"},"after":{"service":"revoked"}');
      expect(log).not.toContain(renewed.password);
    }));

  it('says at its field what is wrong, and leaves the id of a device to the device', () =>
    serving({}, async ({ url, registry }) => {
      const ask = await signedIn(url);
      const wrong = await ask('PUT', 'service-accounts/jembatan', {
        body: { ...FILTERS, publish: ['pantau/#/x'] },
      });
      expect([wrong.status, await wrong.json()]).toMatchObject([400, { errors: [{ field: 'publish.0' }] }]);
      await registry.putSite({ id: 'betung', name: 'Betung' });
      await registry.putDevice({
        ...{ id: 'udara-01', site: 'betung', kind: 'air', name: 'Udara', intervalMs: MINUTE },
      });
      expect((await ask('PUT', 'service-accounts/udara-01', { body: FILTERS })).status).toBe(409);
    }));
});

describe('a device', () => {
  const DEVICE = { id: 'udara-01', site: 'betung', kind: 'air', name: 'Udara', intervalMs: MINUTE } as const;

  it('gets a permanent password, is taken out of service and brought back; what was recorded of it stays', () =>
    serving({}, async ({ url, registry, credentials, clock }) => {
      await registry.putSite({ id: 'betung', name: 'Betung' });
      await registry.putDevice(DEVICE);
      const ask = await signedIn(url);
      const access = (): Promise<unknown> => json(ask('GET', 'devices/udara-01/access'));
      expect(await access()).toEqual({ service: 'open' });
      const { password } = await json<{ password: string }>(ask('POST', 'devices/udara-01/password'));
      expect(await credentials.verify('udara-01', password)).toBe(true);

      clock.at += MINUTE;
      const since = new Date(clock.at).toISOString();
      const off = ask('PUT', 'devices/udara-01/access', { body: { service: 'revoked' } });
      expect(await json(off)).toEqual({ service: 'revoked', since });
      expect(await credentials.verify('udara-01', password)).toBe(false);
      // Again: nothing happens, and it is out of service since then.
      clock.at += MINUTE;
      await ask('PUT', 'devices/udara-01/access', { body: { service: 'revoked' } });
      expect(await json(ask('GET', 'devices/udara-01'))).toEqual({ ...DEVICE, outOfService: { since } });
      const listed = async (service: string): Promise<string[]> =>
        (await json<{ items: { id: string }[] }>(ask('GET', `devices?service=${service}`))).items.map(
          ({ id }) => id,
        );
      expect([await listed('revoked'), await listed('open')]).toEqual([['udara-01'], []]);

      const back = ask('PUT', 'devices/udara-01/access', { body: { service: 'open' } });
      expect(await json(back)).toEqual({ service: 'open' });
      // What it had before lets it in no more.
      expect(await credentials.verify('udara-01', password)).toBe(false);
      expect(await json(ask('GET', 'devices/udara-01'))).toEqual(DEVICE);
      const history = await registry.settings.history('access/udara-01');
      expect(history.map(({ value }) => value)).toEqual(['open', 'revoked', 'open']);
    }));

  it('that is not registered, or another word than those two, is refused', () =>
    serving({}, async ({ url, registry }) => {
      await registry.putSite({ id: 'betung', name: 'Betung' });
      await registry.putDevice(DEVICE);
      const ask = await signedIn(url);
      expect((await ask('POST', 'devices/udara-02/password')).status).toBe(404);
      const wrong = await ask('PUT', 'devices/udara-01/access', { body: { service: 'off' } });
      expect([wrong.status, await wrong.json()]).toMatchObject([400, { errors: [{ field: 'service' }] }]);
    }));
});
