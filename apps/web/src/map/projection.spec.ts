import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outline, projectionOf, ringsOf, type District } from './projection';

const { features } = JSON.parse(readFileSync(join(import.meta.dirname, 'banyuasin.geojson'), 'utf8')) as {
  features: readonly District[];
};

describe('the map', () => {
  const projection = projectionOf(features.flatMap(ringsOf).flat(), 800, 10);

  it('holds all 21 districts, north up, within its width', () => {
    expect(features).toHaveLength(21);
    for (const position of features.flatMap(ringsOf).flat()) {
      const [x, y] = projection.at(position[0]!, position[1]!);
      expect(x).toBeGreaterThanOrEqual(9.99);
      expect(x).toBeLessThanOrEqual(790.01);
      expect(y).toBeGreaterThanOrEqual(9.99);
      expect(y).toBeLessThanOrEqual(projection.height - 9.99);
    }
    expect(projection.at(104.5, -2)[1]).toBeLessThan(projection.at(104.5, -3)[1]);
  });

  it('is as wide as high where a degree is as long both ways', () => {
    const [x0, y0] = projection.at(104.5, -2.4);
    const [x1, y1] = projection.at(105.5, -3.4);
    expect((x1 - x0) / (y1 - y0)).toBeCloseTo(Math.cos((2.4 * Math.PI) / 180), 3);
  });

  it('draws each ring closed', () => {
    for (const district of features) {
      const path = outline(ringsOf(district), projection);
      expect(path).toMatch(/^(M[\d.,L-]+Z)+$/);
      expect(path.match(/M/g)).toHaveLength(ringsOf(district).length);
    }
  });
});
