import { remember, remembered } from '../core/remembered';

const NAME = 'pantau-live';
/** Without locks a tab leads for as long unless it says again that it does. */
const LEASE = 5_000;
const LOOK = 1_500;

/**
 * Makes one tab of the browser lead: every stream holds a connection, and a browser has six to a server.
 *
 * @param lead - until its signal aborts
 * @returns ends it, and lets another tab lead
 */
export function leadOne(lead: (signal: AbortSignal) => Promise<void>): () => void {
  const over = new AbortController();
  if ('locks' in navigator) {
    const led = navigator.locks.request(NAME, { signal: over.signal }, () => lead(over.signal));
    void led.catch(() => undefined);
  } else void leaseOne(lead, over.signal);
  return () => over.abort();
}

/** Where a page without TLS has no locks. Two tabs may lead for a moment; then each event comes twice, and has the same id. */
async function leaseOne(lead: (signal: AbortSignal) => Promise<void>, over: AbortSignal): Promise<void> {
  const own = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  let leading: AbortController | undefined;
  while (!over.aborted) {
    const [leader = '', until = '0'] = (remembered(NAME) ?? '').split(' ');
    if (leader === own || Number(until) < Date.now()) {
      remember(NAME, `${own} ${Date.now() + LEASE}`);
      if (leading === undefined) {
        leading = new AbortController();
        void lead(AbortSignal.any([leading.signal, over]));
      }
    } else {
      leading?.abort();
      leading = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  if (leading !== undefined) remember(NAME, `${own} 0`);
}
