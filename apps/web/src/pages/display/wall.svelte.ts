import { displayControllerDisplay, healthControllerHealth, type Display } from '../../../client';
import { answer } from '../../api/call';
import { problemOf } from '../../api/problem';
import { resource } from '../../api/resource.svelte';
import { clock } from '../../core/clock.svelte';
import { router } from '../../core/router.svelte';
import { version } from '../../core/version.svelte';

/** Pantau is asked so often: a screen needs no stream, and what it shows heals by itself with the next answer. */
const EVERY = 5_000;
/** Without an answer for so long what is shown is old. */
const LOST = 15_000;
/** So often it is asked for a new version of the page; after a lost connection at once. */
const LOOKED_FOR = 60_000;
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
    // Nobody stands at a screen to load a new version.
    $effect(() => {
      if (version.isNew && !this.isLost) location.reload();
    });
    $effect(() => {
      if (!this.isLost) void version.look();
      const timer = setInterval(() => void version.look(), LOOKED_FOR);
      return () => clearInterval(timer);
    });
  }
}
