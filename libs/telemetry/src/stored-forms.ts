import { OBSERVATION_FORM } from './observation-form.js';

/** How the journal stores the streams whose entries are many (docs/decisions/0009). */
export const STORED_FORMS = { readings: OBSERVATION_FORM };
