import { nearestName } from './nearest-name.js';

describe('nearestName', () => {
  const known = ['udara-01', 'udara-dongsi', 'cctv-01', 'betung'];
  it.each([
    ['udara-1', 'udara-01'],
    ['Betunk', 'betung'],
    ['udara-dongis', 'udara-dongsi'],
    ['something else', undefined],
    ['', undefined],
  ])('of %p is %p', (wanted, nearest) => {
    expect(nearestName(wanted, known)).toBe(nearest);
  });
});
