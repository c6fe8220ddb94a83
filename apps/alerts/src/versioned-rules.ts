import { kindNameOf, ruleKindOf, ruleText, type AlertRule, type RuleKind } from '#libs/alerting';
import { PantauError } from '#libs/kernel';
import type { Parameter } from '#libs/telemetry';
import { createHash } from 'node:crypto';

/** A rule with what is needed to judge by it. */
export interface VersionedRule {
  readonly rule: AlertRule;
  readonly kindName: string;
  readonly kind: RuleKind;
  readonly version: string;
  /** Of its state: the version is part of it, so a changed rule begins anew instead of judging by another rule's memory. */
  readonly key: string;
  readonly inputs: ReadonlySet<Parameter>;
}

/** @throws PantauError `CONFIG_INVALID` for a kind that is not known */
export function versionedRules(rules: readonly AlertRule[]): VersionedRule[] {
  return rules.map((rule) => {
    const kindName = kindNameOf(rule);
    const kind = ruleKindOf(kindName);
    if (kind === undefined)
      throw new PantauError(
        'CONFIG_INVALID',
        `rule ${rule.id} is of kind "${kindName}", which does not exist.`,
      );
    const version = createHash('sha256').update(ruleText(rule)).digest('hex').slice(0, 12);
    return {
      rule,
      kindName,
      kind,
      version,
      key: `${rule.id}/${version}`,
      inputs: new Set(kind.inputs(rule)),
    };
  });
}
