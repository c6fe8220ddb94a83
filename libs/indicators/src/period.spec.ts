import { DAY, HOUR } from '#libs/kernel';
import { periodOf } from './period.js';

it.each([
  ['hour', '2015-12-07T13', '2015-12-07T06:00:00Z', HOUR],
  ['day', '2015-12-07', '2015-12-06T17:00:00Z', DAY],
  ['month', '2016-02', '2016-01-31T17:00:00Z', 29 * DAY],
  ['quarter', '2015-Q4', '2015-09-30T17:00:00Z', 92 * DAY],
  ['year', '2015', '2014-12-31T17:00:00Z', 365 * DAY],
] as const)(
  'a period that is a %s begins and ends in the zone of the regency: %s',
  (unit, name, from, length) => {
    const start = Date.parse(from);
    expect(periodOf(unit, name)).toEqual({ unit, name, from: start, to: start + length });
  },
);

it.each([
  ['hour', '2015-12-07T24'],
  ['day', '2015-02-30'],
  ['month', '2015-13'],
  ['quarter', '2015-Q5'],
  ['year', '15'],
  ['day', '2015-12'],
] as const)('there is no %s %s', (unit, name) => {
  expect(() => periodOf(unit, name)).toThrow(/^OUT_OF_RANGE: .* expected /);
});
