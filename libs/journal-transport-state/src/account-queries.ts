import type { StateStore } from '#libs/state';
import {
  countedKey,
  countedOfDayKey,
  NOTHING_PASSED,
  passedOverKey,
  type BatchOrigin,
  type Counted,
  type CountedOfDay,
  type PassedOver,
} from './account.js';
import { ACCOUNT, ACCOUNT_DAYS } from './namespaces.js';

/** What the stages counted, at one moment. */
export interface Account {
  /** Undefined before the stage counted anything there. */
  counted(origin: BatchOrigin): Counted | undefined;
  passedOver(origin: BatchOrigin): PassedOver;
}

/** What the stages counted by day of arrival, at one moment. */
export interface DaysAccount {
  /** Undefined where nothing arrived on the day. */
  counted(day: string, origin: BatchOrigin): CountedOfDay | undefined;
  /** The first entry that was not counted yet, as the rows of the days that were looked at tell; 0 when none does. */
  next(origin: BatchOrigin): number;
}

/** What the stages tell others of what they counted. */
export interface AccountQueries {
  look(): Promise<Account>;
  /** @param from - the first day; all after it are looked at */
  lookAtDays(from: string): Promise<DaysAccount>;
}

/** Answers from the state store. */
export class LocalAccountQueries implements AccountQueries {
  constructor(private readonly state: StateStore) {}

  async look(): Promise<Account> {
    const rows = new Map((await this.state.list(ACCOUNT)).map(({ key, value }) => [key, value]));
    return {
      counted: (origin) => rows.get(countedKey(origin)) as Counted | undefined,
      passedOver: (origin) => (rows.get(passedOverKey(origin)) ?? NOTHING_PASSED) as PassedOver,
    };
  }

  async lookAtDays(from: string): Promise<DaysAccount> {
    const rows = new Map<string, CountedOfDay>();
    const ends = new Map<string, number>();
    for (const { key, value } of await this.state.list(ACCOUNT_DAYS, { from })) {
      rows.set(key, value);
      const origin = key.slice(key.indexOf('/'));
      ends.set(origin, Math.max(ends.get(origin) ?? 0, value.next));
    }
    return {
      counted: (day, origin) => rows.get(countedOfDayKey(day, origin)),
      next: (origin) => ends.get(countedOfDayKey('', origin)) ?? 0,
    };
  }
}
