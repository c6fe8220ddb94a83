import type { DeviceNow, Station } from '../../../client';
import { deviceState, inService, rowsOfSite, sitesNow, standingOut, upOf } from './site-state';

const NOW = Date.UTC(2026, 10, 29, 12);
const MINUTE = 60_000;
const ago = (minutes: number): string => new Date(NOW - minutes * MINUTE).toISOString();
const device = (more: Partial<DeviceNow>): DeviceNow => ({
  ...{ id: 'udara-01', site: 'betung', kind: 'air', name: 'Udara 1', intervalMs: MINUTE },
  ...more,
});
const connected = { state: 'connected', cause: 'connect', at: ago(60) } as const;

describe('the state of a device', () => {
  it.each([
    ['unknown', 'nothing is known', {}],
    ['online', 'it reports', { presence: connected, lastSeen: ago(1) }],
    ['silent', 'it is connected and says nothing', { presence: connected, lastSeen: ago(4) }],
    ['silent', 'it connected and never said anything', { presence: connected }],
    [
      'offline',
      'its connection ended',
      { presence: { ...connected, state: 'disconnected' }, lastSeen: ago(0) },
    ],
    ['unknown', 'nobody observed it', { presence: { ...connected, state: 'unknown' }, lastSeen: ago(0) }],
    [
      'offline',
      'it says that it does not work',
      { lastSeen: ago(1), heartbeat: { ts: ago(1), state: 'down' } },
    ],
    ['degraded', 'it says so', { lastSeen: ago(1), heartbeat: { ts: ago(1), state: 'degraded' } }],
    ['off', 'it was taken out of service', { outOfService: { since: ago(9) }, lastSeen: ago(99) }],
    ['online', 'it posts over HTTP, without a connection', { lastSeen: ago(2) }],
  ] as const)('is %s when %s', (state, _why, known) => {
    expect(deviceState(device(known as Partial<DeviceNow>), NOW)).toBe(state);
  });
});

describe('the sites', () => {
  it('count what works, and show the highest index', () => {
    const station = (id: string, index: number): Station =>
      ({ device: id, ispu: { index, category: { code: 'SEDANG' } } }) as unknown as Station;
    const [betung, empty] = sitesNow(
      [
        { id: 'x', name: 'Zona' },
        { id: 'betung', name: 'Betung' },
      ],
      [
        device({ lastSeen: ago(1) }),
        device({ id: 'udara-02', lastSeen: ago(1) }),
        device({ id: 'cctv-01', kind: 'camera', lastSeen: ago(1) }),
        device({ id: 'cctv-02', kind: 'camera', lastSeen: ago(99) }),
        device({ id: 'cctv-03', kind: 'camera', outOfService: { since: ago(9) } }),
        device({ id: 'udara-03', outOfService: { since: ago(9) } }),
      ],
      [station('udara-01', 70), station('udara-02', 90), station('udara-03', 400)],
      NOW,
    );
    expect([betung!.site.name, empty!.site.name]).toEqual(['Betung', 'Zona']);
    expect(betung!.worst?.device.id).toBe('udara-02');
    expect([upOf(betung!.cameras), inService(betung!.cameras).length, betung!.cameras.length]).toEqual([
      1, 2, 3,
    ]);
    expect(empty).toMatchObject({ stations: [], cameras: [], worst: undefined });
  });

  it('are shown whole where they are few; of many those that do not work, and then the highest, in their order', () => {
    const all = Array.from({ length: 250 }, (_, i) =>
      device({ id: `udara-${i}`, lastSeen: ago(i === 99 ? 9 : 1) }),
    );
    const stations = all.map(({ id }, i) => ({
      ...{ device: id, ispu: { index: i === 200 ? 300 : 50 } },
    })) as unknown as Station[];
    const few = sitesNow([{ id: 'betung', name: 'Betung' }], all.slice(0, 200), [], NOW);
    const many = sitesNow([{ id: 'betung', name: 'Betung' }], all, stations, NOW);
    expect(rowsOfSite(few)).toBe(Infinity);
    expect(standingOut(few[0]!.stations, rowsOfSite(few))).toHaveLength(200);
    const shown = standingOut(many[0]!.stations, rowsOfSite(many)).map(({ device: { id } }) => id);
    expect(shown).toEqual(['udara-0', 'udara-1', 'udara-2', 'udara-99', 'udara-200']);
  });
});
