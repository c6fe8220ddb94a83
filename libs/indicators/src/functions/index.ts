import { availability } from './availability/index.js';
import { meanOfHours } from './mean-of-hours/index.js';

/** Every function, under the name that indicators give it. A new one is a folder here and a line. */
export const INDICATOR_FUNCTIONS = {
  availability,
  'mean-of-hours': meanOfHours,
};
