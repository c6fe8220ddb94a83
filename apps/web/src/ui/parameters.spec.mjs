import { PARAMETERS as KNOWN, UNITS, WRITTEN_SYMBOLS, WRITTEN_UNITS } from '#libs/telemetry';
import { PARAMETERS, unitOf } from './parameters';

it.each(Object.keys(KNOWN))('%s is written as in the sentences of the API', (code) => {
  expect(PARAMETERS[code]).toMatchObject({
    symbol: WRITTEN_SYMBOLS[code],
    unit: WRITTEN_UNITS[KNOWN[code].unit],
  });
});

it('writes no unit as programs call it', () => {
  for (const [code, written] of Object.entries(WRITTEN_UNITS)) expect(unitOf(code)).toBe(written);
  const asCalled = UNITS.filter((code) => unitOf(code) === code);
  expect(asCalled).toEqual(['ppb', 'ppm', 'K', '%', 'fraction']);
});
