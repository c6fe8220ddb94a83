import type { UnreadableListener } from '#libs/state';
import { STATE_FORM, type StoredState } from './device-states-form.js';
import { STATES } from './namespaces.js';
import type { VersionedRule } from './versioned-rules.js';

/** The states of rules, read by the forms of their kinds. */
export class RuleStates {
  /** Of those that cannot be read and were told of. */
  readonly #told = new Set<string>();

  constructor(private readonly onUnreadable: UnreadableListener) {}

  /** One that its kind cannot read is passed over: this rule begins anew for the device, the others go on. */
  unpack(
    stored: StoredState,
    { kind, kindName, key }: VersionedRule,
    { device }: { readonly device: string },
  ): unknown {
    try {
      return kind.form.unpack(STATE_FORM.unpack(stored));
    } catch (cause) {
      const place = `${device}/${key}`;
      if (!this.#told.has(place))
        this.onUnreadable(
          STATES.name,
          place,
          new Error(`it is no state of a rule of kind ${kindName}`, { cause }),
        );
      this.#told.add(place);
      return kind.initial;
    }
  }
}
