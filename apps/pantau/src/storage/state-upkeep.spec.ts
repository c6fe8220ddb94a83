import { LmdbStateStore } from '#libs/engine-lmdb';
import { DAY, HOUR, sortable } from '#libs/kernel';
import { createLogger } from '#libs/platform';
import { namespaceOf, temporaryFolder } from '#libs/testing';
import { STAGES } from '../stages.js';
import { trimState } from './state-upkeep.js';

const NOW = Date.UTC(2026, 0, 31);
const clock = { now: () => NOW };
const logger = createLogger('silent', 'spec');
const rows = (await Promise.all(STAGES.map(async (stage) => stage.trims()))).flat();
const unread = 'wait' as const;

const CONNECTIONS = namespaceOf<object[]>('evidence/connections');
const ALERTS = namespaceOf<object>('gateway/alerts');
const COMMANDS = namespaceOf<object>('gateway/commands');
const change = [{ ts: NOW, event: 'connected', session: 's', run: 'r', silenceMs: 1 }];
const alert = (since: number, kind: string, at: number) => ({
  latest: { alert: `r/d/${since}`, rule: 'r', since, at },
  history: [{ kind, at }],
});

async function keysAfter(retention: Parameters<typeof trimState>[2], many = 1): Promise<string[]> {
  using folder = temporaryFolder('state-upkeep');
  const state = LmdbStateStore.open(folder.path);
  try {
    const days = Array.from({ length: 30 * many }, (_, i) => NOW - ((i + 1) * DAY) / many);
    await state.write([
      ...['udara-1', 'udara-10', 'udara-2'].flatMap((device) =>
        days.map((at) => CONNECTIONS.put(`${device}/${sortable(at)}`, change)),
      ),
      // Long silent: how it stood then is how it stands.
      CONNECTIONS.put(`udara-3/${sortable(NOW - 90 * DAY)}`, change),
      CONNECTIONS.put(`udara-3/${sortable(NOW - 91 * DAY)}`, change),
      ...[
        ['old', NOW - 20 * DAY, 'resolved', NOW - 19 * DAY],
        ['long', NOW - 20 * DAY, 'resolved', NOW - HOUR],
        ['open', NOW - 20 * DAY, 'firing', NOW - 20 * DAY],
        ['new', NOW - DAY, 'resolved', NOW - HOUR],
      ].map(([name, since, kind, at]) =>
        ALERTS.put(
          `${sortable(since as number)}/${name}`,
          alert(since as number, String(kind), at as number),
        ),
      ),
      ...[20, 1].map((day) =>
        COMMANDS.put(`udara-1/${sortable(NOW - day * DAY)}-ab`, {
          id: 'x',
          device: 'udara-1',
          state: 'done',
          history: [],
        }),
      ),
    ]);
    await trimState(state, rows, retention, clock, logger);
    const names = async (namespace: typeof ALERTS | typeof CONNECTIONS): Promise<string[]> =>
      (await state.list(namespace as typeof ALERTS)).map(
        ({ key }) => `${namespace.name.split('/')[1]} ${key}`,
      );
    return [...(await names(CONNECTIONS)), ...(await names(ALERTS)), ...(await names(COMMANDS))];
  } finally {
    await state.close();
  }
}

describe('rows that go by their age', () => {
  it('stay while their stream is kept for ever, or by its size', async () => {
    const all = await keysAfter({});
    expect(all).toHaveLength(3 * 30 + 2 + 4 + 2);
    expect(await keysAfter({ signals: { unread, maxBytes: 1 } })).toEqual(all);
  });

  it('go with the entries of their stream, and of each device the newest of these stays', async () => {
    const kept = await keysAfter({ signals: { unread, maxAge: 10 * DAY } });
    const of = (device: string): string[] => kept.filter((key) => key.startsWith(`connections ${device}/`));
    for (const device of ['udara-1', 'udara-10', 'udara-2'])
      // Ten days with both ends, and what held before.
      expect(of(device)).toEqual(
        Array.from({ length: 11 }, (_, i) => `connections ${device}/${sortable(NOW - (11 - i) * DAY)}`),
      );
    expect(of('udara-3')).toEqual([`connections udara-3/${sortable(NOW - 90 * DAY)}`]);
    expect(kept.filter((key) => !key.startsWith('connections'))).toHaveLength(6);
  });

  it('go however many there are', async () => {
    const kept = await keysAfter({ signals: { unread, maxAge: 10 * DAY } }, 50);
    expect(kept.filter((key) => key.startsWith('connections udara-1/'))).toHaveLength(10 * 50 + 1);
  });

  it('stay where what they tell of is not over', async () => {
    const maxAge = 10 * DAY;
    const kept = await keysAfter({ alerts: { unread, maxAge }, commands: { unread, maxAge } });
    expect(kept.filter((key) => key.startsWith('alerts')).map((key) => key.split('/')[1])).toEqual([
      ...['long', 'open'],
      'new',
    ]);
    expect(kept.filter((key) => key.startsWith('commands'))).toEqual([
      `commands udara-1/${sortable(NOW - DAY)}-ab`,
    ]);
  });
});
