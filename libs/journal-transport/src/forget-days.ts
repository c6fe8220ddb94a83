import { accountDaysFrom } from '#libs/journal-transport-state';
import type { UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { ACCOUNT_DAYS } from '#namespaces/journal-transport-state';

/** Removes what was counted of days that are kept no longer. @returns how many rows went */
export async function forgetAccountDays(state: StateStore, now: UtcMillis): Promise<number> {
  const old = await state.list(ACCOUNT_DAYS, { to: accountDaysFrom(now) });
  if (old.length > 0) await state.write(old.map(({ key }) => ACCOUNT_DAYS.remove(key)));
  return old.length;
}
