import { displayControllerDisplay, healthControllerHealth, type Display } from '../../../client';
import { answer } from '../../api/call';
import { problemOf } from '../../api/problem';
import { resource } from '../../api/resource.svelte';
import { base } from '../../core/base';
import { clock } from '../../core/clock.svelte';
import { router } from '../../core/router.svelte';

/** Pantau is asked so often: a screen needs no stream, and what it shows heals by itself with the next answer. */
const EVERY = 5_000;
/** Without an answer for so long what is shown is old. */
const LOST = 15_000;
const DAY = 86_400_000;
const SOON = 7 * DAY;

/** What a screen on a wall knows: the newest answer, whether it is still so, and whether its link is valid. */
export class Wall {
  readonly read = resource(async (signal): Promise<Display> => {
    const headers = { authorization: `Bearer ${router.hash}` };
    return answer(displayControllerDisplay({ headers, signal }));
  }, EVERY);
  /** For everybody: it needs no link. */
  readonly health = resource(
    async (signal) =>
      answer(healthControllerHealth({ signal })).then(
        ({ status }) => status,
        (error: unknown) => {
          if (problemOf(error).status === 503) return 'down' as const;
          throw error;
        },
      ),
    6 * EVERY,
  );
  readonly isEnded = $derived.by(() => {
    const status = this.read.problem?.status;
    const { expiresAt } = this.read.data ?? {};
    return (
      status === 401 || status === 403 || (expiresAt !== undefined && Date.parse(expiresAt) <= clock.now)
    );
  });
  readonly isLost = $derived(
    this.read.data !== undefined &&
      !this.isEnded &&
      (this.read.problem !== undefined || clock.now - (this.read.readAt ?? clock.now) > LOST),
  );
  readonly endsSoon = $derived.by(() => {
    const { expiresAt } = this.read.data ?? {};
    return expiresAt !== undefined && Date.parse(expiresAt) - clock.now < SOON ? expiresAt : undefined;
  });

  constructor() {
    let wasLost = false;
    $effect(() => {
      if (wasLost && !this.isLost && !this.isEnded) void reloadIfNew();
      wasLost = this.isLost;
    });
  }
}

/** Nobody stands at a screen to load a new version: where the page that is served names another script, it is loaded. */
async function reloadIfNew(): Promise<void> {
  const own = document.querySelector<HTMLScriptElement>('script[type=module][src]');
  const options = { headers: { accept: 'text/html' }, cache: 'no-store' } as const;
  const response = await fetch(base, options).catch(() => undefined);
  if (own === null || response?.ok !== true) return;
  const served = new DOMParser()
    .parseFromString(await response.text(), 'text/html')
    .querySelector('script[type=module][src]')
    ?.getAttribute('src');
  if (typeof served === 'string' && new URL(served, location.href).href !== own.src) location.reload();
}
