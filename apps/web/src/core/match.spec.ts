import { match } from './match';

describe('a place of the page', () => {
  it.each([
    ['/', '/', {}],
    ['/gaya', '/gaya/', {}],
    ['/gaya', '/gay', undefined],
    ['/perangkat/:device', '/perangkat/udara-01', { device: 'udara-01' }],
    ['/perangkat/:device', '/perangkat/%2e%2E', { device: '..' }],
    ['/perangkat/:device', '/perangkat/', undefined],
    ['/perangkat/:device', '/perangkat/%', undefined],
    ['/perangkat/:device', '/perangkat/a/b', undefined],
  ])('%s of %s is %p', (pattern, path, parameters) => {
    expect(match(pattern, path)).toEqual(parameters);
  });
});
