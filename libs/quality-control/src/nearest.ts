import { compareTexts } from '#libs/kernel';
/** A point on the Earth, in decimal degrees (WGS 84). */
export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** A device and the place where it stands. */
export interface PlacedDevice {
  readonly id: string;
  /** Devices of one site are at no distance from each other, also where nobody knows where the site is. */
  readonly site: string;
  /** Of the site. */
  readonly coordinates?: Coordinates | undefined;
}

/** Another device, seen from one. */
export interface Neighbour {
  readonly id: string;
  readonly distanceKm: number;
}

/** How many neighbours a device is asked about at most: their median does not get better with more. */
export const MAX_NEIGHBOURS = 16;

/** Mean radius of the Earth (IUGG), km. */
const EARTH_RADIUS_KM = 6371.0088;
const RADIANS = Math.PI / 180;

/** Great-circle distance, km, by the haversine formula: on a sphere, so up to 0.6 % beside that on the ellipsoid. */
export function distanceKm(a: Coordinates, b: Coordinates): number {
  const byLatitude = Math.sin(((b.latitude - a.latitude) * RADIANS) / 2) ** 2;
  const byLongitude = Math.sin(((b.longitude - a.longitude) * RADIANS) / 2) ** 2;
  const across = Math.cos(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(byLatitude + across * byLongitude)));
}

/** Devices on one site, by id. */
interface Place {
  readonly ids: readonly string[];
}

/** Devices at one known point, by id. */
interface LocatedPlace extends Place {
  readonly at: Coordinates;
  /** The point on a sphere of radius 1. */
  readonly direction: Direction;
}

type Direction = readonly [x: number, y: number, z: number];

/** Devices at one distance from a place, by id. */
interface Shell {
  readonly distanceKm: number;
  readonly ids: readonly string[];
}

/**
 * The nearest devices of each device, nearest first, without itself.
 *
 * Of devices at the same distance those are taken whose ids follow its own, and after the last id the first. So the work of
 * being a neighbour is shared: of 10,000 devices on one site each is asked about 16 and answers for 16, whereas the
 * smallest ids would answer for all. The result does not depend on the order of the devices.
 *
 * @param devices - each id once
 * @param radiusKm - a device further away is no neighbour
 */
export function nearestNeighbours(
  devices: readonly PlacedDevice[],
  radiusKm: number,
  most = MAX_NEIGHBOURS,
): ReadonlyMap<string, readonly Neighbour[]> {
  const { located, others } = placesOf(devices);
  const axis = widestAxis(located);
  const inOrder = located.toSorted((a, b) => a.direction[axis] - b.direction[axis]);
  const neighbours = new Map<string, readonly Neighbour[]>();
  const take = (shells: readonly Shell[], { ids }: Place): void => {
    for (const id of ids) neighbours.set(id, nearestOf(id, shells, most));
  };
  for (const [i, place] of inOrder.entries()) take(shellsAround(i, inOrder, axis, radiusKm, most), place);
  for (const place of others) take([{ distanceKm: 0, ids: place.ids }], place);
  return neighbours;
}

/** @returns the places whose point is known, and the other sites */
function placesOf(devices: readonly PlacedDevice[]): {
  readonly located: readonly LocatedPlace[];
  readonly others: readonly Place[];
} {
  const points = new Map<string, { readonly at: Coordinates; readonly ids: string[] }>();
  const sites = new Map<string, { readonly ids: string[] }>();
  for (const { id, site, coordinates: at } of devices.toSorted((a, b) => compareTexts(a.id, b.id))) {
    if (at === undefined) {
      const place = sites.get(site);
      if (place === undefined) sites.set(site, { ids: [id] });
      else place.ids.push(id);
    } else {
      const point = `${at.latitude},${at.longitude}`;
      const place = points.get(point);
      if (place === undefined) points.set(point, { at, ids: [id] });
      else place.ids.push(id);
    }
  }
  return {
    located: Array.from(points.values(), (place) => ({ ...place, direction: directionOf(place.at) })),
    others: [...sites.values()],
  };
}

function directionOf({ latitude, longitude }: Coordinates): Direction {
  const [up, around] = [latitude * RADIANS, longitude * RADIANS];
  return [Math.cos(up) * Math.cos(around), Math.cos(up) * Math.sin(around), Math.sin(up)];
}

/** The axis along which the places lie furthest apart, so that a walk along it meets few at a time. */
function widestAxis(places: readonly LocatedPlace[]): 0 | 1 | 2 {
  const [x, y, z] = ([0, 1, 2] as const).map((axis) => {
    let [low, high] = [1, -1];
    for (const { direction } of places)
      [low, high] = [Math.min(low, direction[axis]), Math.max(high, direction[axis])];
    return high - low;
  }) as [number, number, number];
  return x >= y && x >= z ? 0 : y >= z ? 1 : 2;
}

/**
 * The devices around a place by distance, until there are enough for each of its own. Walks away from it along an axis:
 * no place is nearer than it is along that, so few are looked at.
 *
 * @param places - in their order along the axis
 */
function shellsAround(
  own: number,
  places: readonly LocatedPlace[],
  axis: 0 | 1 | 2,
  radiusKm: number,
  most: number,
): readonly Shell[] {
  const from = places[own];
  if (from === undefined) return [];
  const near: Shell[] = [{ distanceKm: 0, ids: from.ids }];
  let reach = reachOf(near, radiusKm, most);
  let chord = chordOf(reach);
  const gapTo = (place: LocatedPlace | undefined): number =>
    place === undefined ? Infinity : Math.abs(place.direction[axis] - from.direction[axis]);
  let [down, up] = [own - 1, own + 1];
  let [below, above] = [gapTo(places[down]), gapTo(places[up])];
  for (;;) {
    const isBelow = below <= above;
    const place = places[isBelow ? down : up];
    if (place === undefined || (isBelow ? below : above) > chord) return near;
    if (isBelow) below = gapTo(places[--down]);
    else above = gapTo(places[++up]);
    // A fraction of the work of the true distance, and enough for nearly all.
    if (squaredChord(from.direction, place.direction) > chord ** 2) continue;
    const distance = distanceKm(from.at, place.at);
    if (distance > reach) continue;
    insert(near, { distanceKm: distance, ids: place.ids });
    reach = reachOf(near, radiusKm, most);
    chord = chordOf(reach);
    while ((near.at(-1)?.distanceKm ?? 0) > reach) near.pop();
  }
}

/**
 * Chords are computed in another way than distances and differ from them by rounding. They only tell which places need no
 * closer look, and so much more, of the radius of the Earth, always gets one.
 */
const ROUNDING = 1e-7;

/** The straight line, through the Earth, to what is so far away on its surface, in radii of the Earth. */
function chordOf(km: number): number {
  return 2 * Math.sin(Math.min(Math.PI / 2, km / EARTH_RADIUS_KM / 2)) + ROUNDING;
}

function squaredChord(a: Direction, b: Direction): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}

/** Keeps the shells in order, and devices at the same distance in one. */
function insert(shells: Shell[], added: Shell): void {
  const at = shells.findIndex((shell) => shell.distanceKm >= added.distanceKm);
  const there = at < 0 ? undefined : shells[at];
  if (there?.distanceKm === added.distanceKm)
    shells[at] = { ...there, ids: [...there.ids, ...added.ids].sort(compareTexts) };
  else shells.splice(at < 0 ? shells.length : at, 0, added);
}

/** The distance within which there are enough neighbours; the radius while there are not. */
function reachOf(shells: readonly Shell[], radiusKm: number, most: number): number {
  // A device does not count itself.
  let found = -1;
  for (const { distanceKm: distance, ids } of shells) if ((found += ids.length) >= most) return distance;
  return radiusKm;
}

function nearestOf(own: string, shells: readonly Shell[], most: number): Neighbour[] {
  const nearest: Neighbour[] = [];
  for (const { distanceKm: distance, ids } of shells) {
    const first = firstAfter(own, ids);
    for (let i = 0; i < ids.length && nearest.length < most; i++) {
      const id = ids[(first + i) % ids.length];
      if (id !== undefined && id !== own) nearest.push({ id, distanceKm: distance });
    }
  }
  return nearest;
}

/** Where in the ordered ids the first one after this stands. */
function firstAfter(id: string, ids: readonly string[]): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? '') <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}
