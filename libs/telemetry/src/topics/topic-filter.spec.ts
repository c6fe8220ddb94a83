import fc from 'fast-check';
import { filterCovers, filterMatches, isTopicFilter } from './topic-filter.js';

describe('topic filters', () => {
  // The examples of MQTT 3.1.1, section 4.7.
  it.each([
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/broker/clients', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/broker/clients', true],
    ['a/b', 'A/b', false],
  ])('%s matches %s: %s', (filter, topic, expected) => expect(filterMatches(filter, topic)).toBe(expected));

  it.each([
    ['sport/tennis#', false],
    ['sport/tennis/#/ranking', false],
    ['sport+', false],
    ['', false],
    ['a\u0000', false],
    ['a/'.repeat(40), false],
    ['+/tennis/#', true],
    ['#', true],
    ['/', true],
  ])('"%s" is a filter: %s', (filter, expected) => expect(isTopicFilter(filter)).toBe(expected));

  it.each([
    ['pantau/v1/a/b/#', 'pantau/v1/a/b/cmd/+', true],
    ['pantau/v1/a/b/#', 'pantau/v1/a/b', true],
    ['pantau/v1/+/b/#', 'pantau/v1/#', false],
    ['pantau/v1/a/+', 'pantau/v1/a/#', false],
    ['pantau/v1/a/b', 'pantau/v1/a/+', false],
    ['pantau/+/x', 'pantau/+/x', true],
    ['#', '$SYS/#', false],
    ['$SYS/#', '$SYS/broker/+', true],
  ])('%s grants %s: %s', (granted, wanted, expected) => expect(filterCovers(granted, wanted)).toBe(expected));

  it('grant exactly what they match: what a granted filter receives, the grant matches too', () => {
    const level = fc.constantFrom('a', 'b', '+', '$c', '');
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));
    const levels = ['a', 'b', '$c', ''];
    const deeper = (names: readonly string[]): string[] =>
      names.flatMap((name) => levels.map((next) => `${name}/${next}`));
    const names = [levels, deeper(levels), deeper(deeper(levels)), deeper(deeper(deeper(levels)))].flat();
    fc.assert(
      fc.property(filter, filter, (granted, wanted) => {
        if (!filterCovers(granted, wanted)) return;
        const beyond = names.filter((name) => filterMatches(wanted, name) && !filterMatches(granted, name));
        expect(beyond).toEqual([]);
      }),
      { numRuns: 3_000 },
    );
  });
});
