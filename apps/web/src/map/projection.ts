/** A map of one regency at the equator: longitude shrunk by the cosine of its middle differs from Mercator by less than the width of a line. */
export interface Projection {
  readonly width: number;
  readonly height: number;
  readonly at: (longitude: number, latitude: number) => readonly [x: number, y: number];
}

export type Position = readonly number[];
export type Ring = readonly Position[];

/** GeoJSON (RFC 7946) of districts, as far as a map needs it. */
export interface District {
  readonly properties: { readonly code: string; readonly name: string; readonly centre: Position };
  readonly geometry:
    | { readonly type: 'Polygon'; readonly coordinates: readonly Ring[] }
    | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly Ring[])[] };
}

export function ringsOf({ geometry }: District): readonly Ring[] {
  return geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates.flat();
}

/** Fits all positions into this width, with a margin. */
export function projectionOf(positions: readonly Position[], width: number, margin: number): Projection {
  const longitudes = positions.map(([longitude = 0]) => longitude);
  const latitudes = positions.map(([, latitude = 0]) => latitude);
  const [west, east] = [Math.min(...longitudes), Math.max(...longitudes)];
  const [south, north] = [Math.min(...latitudes), Math.max(...latitudes)];
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = (width - 2 * margin) / Math.max((east - west) * shrink, 1e-6);
  return {
    width,
    height: (north - south) * scale + 2 * margin,
    at: (longitude, latitude) => [
      margin + (longitude - west) * shrink * scale,
      margin + (north - latitude) * scale,
    ],
  };
}

/** The outline of a district as the path of an SVG; with `fill-rule: evenodd` it does not matter which way a ring winds. */
export function outline(rings: readonly Ring[], { at }: Projection): string {
  return rings
    .map((ring) => {
      const points = ring.map(([longitude = 0, latitude = 0]) =>
        at(longitude, latitude)
          .map((n) => n.toFixed(1))
          .join(','),
      );
      return `M${points.join('L')}Z`;
    })
    .join('');
}
