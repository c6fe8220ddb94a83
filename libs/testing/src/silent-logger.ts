/** For a test that does not look at what is logged. */
export const silentLogger = { log: () => undefined, warn: () => undefined, error: () => undefined };
