import { PARAMETERS as KNOWN, WRITTEN_SYMBOLS, WRITTEN_UNITS } from '#libs/telemetry';
import { PARAMETERS } from './parameters';

it.each(Object.keys(KNOWN))('%s is written as in the sentences of the API', (code) => {
  expect(PARAMETERS[code]).toMatchObject({
    symbol: WRITTEN_SYMBOLS[code],
    unit: WRITTEN_UNITS[KNOWN[code].unit],
  });
});
