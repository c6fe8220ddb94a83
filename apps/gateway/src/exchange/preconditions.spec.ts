import 'reflect-metadata';
import { loadCodecs } from '#devices/codecs';
import { namespaceOf } from '#libs/testing';
import { describeApi } from '../describe-api.js';
import { serving, signedIn, type Served } from '../gateway.fixture.js';

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

const { paths } = await describeApi();
const changes = Object.entries(paths).flatMap(([path, ofPath]) =>
  ['put', 'patch', 'delete'].flatMap((method) => {
    const operation = (ofPath as unknown as Readonly<Record<string, Operation | undefined>>)[method];
    return operation === undefined ? [] : [{ route: `${method.toUpperCase()} ${path}`, operation }];
  }),
);

/** Changes in which nobody writes over what another did, each with the reason. */
const NOTHING_TO_WRITE_OVER: Readonly<Record<string, string>> = {
  'DELETE /api/v1/reconciliation/check': 'ends a check, and changes nothing that is kept',
  'DELETE /api/v1/session': 'ends a session, which nobody changes',
  'DELETE /api/v1/sessions/{session}': 'ends a session, which nobody changes',
  'DELETE /api/v1/users/{user}/sessions': 'ends sessions, which nobody changes',
  'DELETE /api/v1/tokens/{token}': 'ends a token, which nobody changes',
  'PUT /api/v1/session/password': 'names the password that was',
  'PUT /api/v1/session/second-factor': 'bears a code of the secret that counts from then on',
};

const DEVICE = { id: 'udara-01', site: 'betung', kind: 'air', name: 'Udara', intervalMs: 60_000 } as const;
const FILTERS = { publish: ['luar/#'], subscribe: [] };

interface Change {
  /** Where what is changed is read; by default where it is changed. */
  readonly seenAt?: string;
  /** Makes it so that there is something. */
  readonly begin?: (served: Served, ask: Awaited<ReturnType<typeof signedIn>>) => Promise<unknown>;
  /** What the i-th of those sends who change it at the same time. */
  readonly body?: (i: number) => object;
}

const beginConfiguration: Change['begin'] = ({ state }) =>
  state.write([
    namespaceOf('gateway/configurations').put('udara-01', {
      ...{ site: 'betung', device: 'udara-01', at: 1, configuration: { fan: 0 } },
    }),
  ]);
const beginAccount: Change['begin'] = (_served, ask) =>
  ask('PUT', 'service-accounts/jembatan', { body: FILTERS });
const beginUser: Change['begin'] = ({ users }) => users.put('budi', { role: 'viewer', disabled: false });
const MAPPING = { pattern: 'tele/{device}/SENSOR', codec: 'tasmota' };
const beginMapping: Change['begin'] = (_served, ask) => ask('PUT', 'mappings/pabrik', { body: MAPPING });

const CHANGES: Readonly<Record<string, Change>> = {
  'PUT /api/v1/sites/betung': { body: (i) => ({ name: `No. ${i}` }) },
  'PUT /api/v1/devices/udara-01': {
    seenAt: 'devices/udara-01/registration',
    body: (i) => ({ site: 'betung', kind: 'air', name: `No. ${i}`, interval: '1m' }),
  },
  'PUT /api/v1/devices/udara-01/access': { body: () => ({ service: 'revoked' }) },
  'PUT /api/v1/devices/udara-01/configuration': {
    begin: beginConfiguration,
    body: (i) => ({ fan: i }),
  },
  'DELETE /api/v1/devices/udara-01/configuration': { begin: beginConfiguration },
  'PUT /api/v1/users/budi': { begin: beginUser, body: (i) => ({ role: 'viewer', fullName: `No. ${i}` }) },
  'DELETE /api/v1/users/budi/second-factor': {
    seenAt: 'users/budi',
    begin: async ({ users }) => {
      await users.put('budi', { role: 'viewer', disabled: false });
      await users.change('budi', (user) => ({ ...user, secondFactor: { secret: 'A', recovery: [] } }));
    },
  },
  'PUT /api/v1/service-accounts/jembatan': {
    begin: beginAccount,
    body: (i) => ({ ...FILTERS, subscribe: [`luar/${i}`] }),
  },
  'PUT /api/v1/service-accounts/jembatan/access': {
    begin: beginAccount,
    body: () => ({ service: 'revoked' }),
  },
  'DELETE /api/v1/service-accounts/jembatan': { begin: beginAccount },
  'PUT /api/v1/mappings/pabrik': {
    begin: beginMapping,
    body: (i) => ({ ...MAPPING, pattern: `tele-${i}/{device}/SENSOR` }),
  },
  'DELETE /api/v1/mappings/pabrik': { begin: beginMapping },
};

const codecs = await loadCodecs();
const isConditional = ({ parameters = [] }: Operation): boolean =>
  parameters.some(({ name, in: at }) => at === 'header' && name === 'If-Match');

describe('a route that changes something', () => {
  it('takes If-Match, each of the document, unless nobody writes over what another did', () => {
    expect(changes.length).toBeGreaterThan(15);
    const without = changes.filter(({ operation }) => !isConditional(operation)).map(({ route }) => route);
    expect(without.toSorted()).toEqual(Object.keys(NOTHING_TO_WRITE_OVER).toSorted());
  });

  it('is asked below, each that takes If-Match', () => {
    const patternOf = (route: string): RegExp => new RegExp(`^${route.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
    const conditional = changes.filter(({ operation }) => isConditional(operation));
    const asked = Object.keys(CHANGES);
    expect(
      conditional.map(({ route }) => [route, asked.filter((one) => patternOf(route).test(one)).length]),
    ).toEqual(conditional.map(({ route }) => [route, 1]));
  });

  it.each(Object.entries(CHANGES))('is made by one of those who saw the same: %s', (name, change) =>
    serving({ codecs }, async (served) => {
      const [method = '', path = ''] = name.replace('/api/v1/', '').split(' ');
      await served.registry.putSite({ id: 'betung', name: 'Betung' });
      await served.registry.putDevice(DEVICE);
      const ask = await signedIn(served.url);
      await change.begin?.(served, ask);
      const read = await ask('GET', change.seenAt ?? path);
      expect(read.status).toBe(200);
      const send = async (i: number, etag: string): Promise<number> => {
        const body = change.body?.(i);
        const answer = await ask(method, path, {
          headers: { 'if-match': etag },
          ...(body === undefined ? {} : { body }),
        });
        return answer.status;
      };
      expect(await send(0, '"other"')).toBe(412);
      const etag = read.headers.get('etag')!;
      const statuses = await Promise.all([1, 2, 3].map((i) => send(i, etag)));
      expect(statuses.filter((status) => status < 300)).toHaveLength(1);
      // What was removed is not there for the others.
      const late = method === 'DELETE' ? [404, 412] : [412];
      for (const status of statuses) expect([200, 202, ...late]).toContain(status);
    }),
  );
});
