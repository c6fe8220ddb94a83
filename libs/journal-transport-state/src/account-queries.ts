import type { StateStore } from '#libs/state';
import {
  countedKey,
  NOTHING_PASSED,
  passedOverKey,
  type BatchOrigin,
  type Counted,
  type PassedOver,
} from './account.js';
import { ACCOUNT } from './namespaces.js';

/** What the stages counted, at one moment. */
export interface Account {
  /** Undefined before the stage counted anything there. */
  counted(origin: BatchOrigin): Counted | undefined;
  passedOver(origin: BatchOrigin): PassedOver;
}

/** What the stages tell others of what they counted. */
export interface AccountQueries {
  look(): Promise<Account>;
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
}
