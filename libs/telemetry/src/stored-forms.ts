import { OBSERVATION_FORM } from './observation-form.js';
import { UPLINK_FORM } from './uplink-form.js';

/** How the journal stores the streams whose entries are many (docs/decisions/0009). */
export const STORED_FORMS = { uplink: UPLINK_FORM, readings: OBSERVATION_FORM };
