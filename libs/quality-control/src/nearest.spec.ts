import fc from 'fast-check';
import { distanceKm, nearestNeighbours, type Coordinates, type PlacedDevice } from './nearest.js';

const at = (latitude: number, longitude: number): Coordinates => ({ latitude, longitude });

describe('distanceKm', () => {
  it.each([
    ['nowhere', at(-2.88, 104.38), at(-2.88, 104.38), 0],
    ['a degree along a meridian', at(-3, 104), at(-2, 104), 111.195],
    ['a degree along the equator', at(0, 104), at(0, 105), 111.195],
    ['a degree along a parallel half way to the pole', at(60, 10), at(60, 11), 55.597],
    ['across the date line', at(0, 179.5), at(0, -179.5), 111.195],
    ['from pole to pole', at(90, 0), at(-90, 77), 20_015.115],
    ['from Pangkalan Balai to Palembang', at(-2.8786, 104.3833), at(-2.9761, 104.7754), 44.869],
  ] as const)('%s', (_what, a, b, expected) => {
    expect(distanceKm(a, b)).toBeCloseTo(expected, 2);
  });

  const point = fc.record({
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
  });

  it('is the same both ways, and no detour is shorter', () => {
    fc.assert(
      fc.property(point, point, point, (a, b, c) => {
        expect(distanceKm(a, b)).toBe(distanceKm(b, a));
        expect(distanceKm(a, c)).toBeLessThanOrEqual(distanceKm(a, b) + distanceKm(b, c) + 1e-3);
      }),
    );
  });
});

describe('nearestNeighbours', () => {
  it('are those on the site, with coordinates or without, then those around it', () => {
    const devices: PlacedDevice[] = [
      { id: 'a', site: 'here', coordinates: at(-2.9, 104.4) },
      { id: 'b', site: 'here', coordinates: at(-2.9, 104.4) },
      { id: 'c', site: 'near', coordinates: at(-2.95, 104.4) },
      { id: 'd', site: 'far', coordinates: at(-3.9, 104.4) },
      { id: 'e', site: 'somewhere' },
      { id: 'f', site: 'somewhere' },
    ];
    const neighbours = nearestNeighbours(devices, 25);
    const km = expect.closeTo(5.56, 2);
    expect([...neighbours].toSorted()).toEqual([
      [
        'a',
        [
          { id: 'b', distanceKm: 0 },
          { id: 'c', distanceKm: km },
        ],
      ],
      [
        'b',
        [
          { id: 'a', distanceKm: 0 },
          { id: 'c', distanceKm: km },
        ],
      ],
      [
        'c',
        [
          { id: 'a', distanceKm: km },
          { id: 'b', distanceKm: km },
        ],
      ],
      ['d', []],
      ['e', [{ id: 'f', distanceKm: 0 }]],
      ['f', [{ id: 'e', distanceKm: 0 }]],
    ]);
  });

  it('share the work on a crowded site: each of 10,000 devices is asked about as many as it answers for', () => {
    const devices = Array.from({ length: 10_000 }, (_, i) => ({ id: `udara-${i}`, site: 'betung' }));
    const answersFor = new Map<string, number>();
    for (const neighbours of nearestNeighbours(devices, 25).values()) {
      expect(neighbours).toHaveLength(16);
      for (const { id } of neighbours) answersFor.set(id, (answersFor.get(id) ?? 0) + 1);
    }
    expect(new Set(answersFor.values())).toEqual(new Set([16]));
    expect(answersFor.size).toBe(10_000);
  });

  /** Few values for each coordinate, so that places coincide, and lie on one meridian, parallel or circle. */
  const device = fc.record({
    id: fc.stringMatching(/^[a-c]{1,4}$/),
    place: fc.option(
      fc.record({
        latitude: fc.constantFrom(-90, -3, -2.95, -2.9, -2.85, -2.8, 0, 89.99),
        longitude: fc.constantFrom(-179.99, 104.3, 104.35, 104.4, 104.45, 104.5, 179.99),
      }),
    ),
  });
  const fleet = fc
    .uniqueArray(device, { selector: ({ id }) => id, maxLength: 40 })
    .map((all): PlacedDevice[] =>
      all.map(({ id, place }) =>
        place === null
          ? { id, site: `unknown-${id.length}` }
          : { id, site: `${place.latitude} ${place.longitude}`, coordinates: place },
      ),
    );
  const radius = fc.constantFrom(4, 9, 25, 300, 20_016);

  it('are what looking at every pair finds, in whatever order the devices come', () => {
    fc.assert(
      fc.property(
        fleet.chain((devices) =>
          fc.tuple(
            fc.constant(devices),
            fc.shuffledSubarray(devices, { minLength: devices.length, maxLength: devices.length }),
          ),
        ),
        radius,
        fc.integer({ min: 1, max: 6 }),
        ([devices, shuffled], radiusKm, most) => {
          const found = nearestNeighbours(shuffled, radiusKm, most);
          expect(found.size).toBe(devices.length);
          for (const own of devices) expect(found.get(own.id)).toEqual(byPairs(own, devices, radiusKm, most));
        },
      ),
    );
  });

  it('lie within the radius, and are neighbours of each other while nobody has too many', () => {
    fc.assert(
      fc.property(fleet, radius, (devices, radiusKm) => {
        const found = nearestNeighbours(devices, radiusKm, devices.length);
        for (const [id, neighbours] of found)
          for (const neighbour of neighbours) {
            expect(neighbour.distanceKm).toBeLessThanOrEqual(radiusKm);
            expect(found.get(neighbour.id)).toContainEqual({ id, distanceKm: neighbour.distanceKm });
          }
      }),
    );
  });
});

function byPairs(
  own: PlacedDevice,
  devices: readonly PlacedDevice[],
  radiusKm: number,
  most: number,
): unknown[] {
  return devices
    .filter(({ id }) => id !== own.id)
    .map((other) => ({ id: other.id, distanceKm: between(own, other) }))
    .filter(({ distanceKm: distance }) => distance <= radiusKm)
    .sort(
      (a, b) =>
        a.distanceKm - b.distanceKm ||
        Number(a.id < own.id) - Number(b.id < own.id) ||
        (a.id < b.id ? -1 : 1),
    )
    .slice(0, most);
}

function between(a: PlacedDevice, b: PlacedDevice): number {
  if (a.site === b.site) return 0;
  if (a.coordinates === undefined || b.coordinates === undefined) return Infinity;
  return distanceKm(a.coordinates, b.coordinates);
}
