import { MINUTE, type Millis } from '#libs/kernel';

/**
 * A request is here as a whole within this time, or is answered 408: enough for the file of an offline logger over a slow
 * line. Fastify sets none unless told, in place of Node's.
 */
export const REQUEST_TIMEOUT: Millis = 5 * MINUTE;
