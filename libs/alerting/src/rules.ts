import { canonicalJson, nearestName } from '#libs/kernel';
import { z } from 'zod';
import { RULE_KINDS } from './kinds/index.js';
import type { RuleHead, RuleKind } from './rule-kind.js';

/** What a rule is that does not say: there was no other kind when the first rules were written, and they keep their text. */
const DEFAULT_KIND = 'threshold' satisfies keyof typeof RULE_KINDS;

/** A rule as it stands in the configuration: what its kind's schema says, beside what every rule has. */
export type AlertRule = RuleHead & { readonly kind?: string };

const kinds: Readonly<Record<string, RuleKind>> = RULE_KINDS;

/** A rule of any kind, checked by the schema of its kind. */
const ruleSchema = z
  .looseObject({ kind: z.string().default(DEFAULT_KIND) })
  .transform((raw, context): AlertRule => {
    const { kind: name, ...rest } = raw;
    const kind = ruleKindOf(name);
    if (kind === undefined) {
      const nearest = nearestName(name, Object.keys(kinds));
      const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
      const message = `no kind of rule "${name}"; known: ${Object.keys(kinds).join(', ')}.${hint}`;
      context.addIssue({ code: 'custom', path: ['kind'], message });
      return z.NEVER;
    }
    const result = kind.schema.safeParse(rest);
    if (!result.success) {
      for (const issue of result.error.issues) context.issues.push({ ...issue, input: raw } as never);
      return z.NEVER;
    }
    return name === DEFAULT_KIND ? result.data : { kind: name, ...result.data };
  });

/** `rules.yaml`. */
export const rulesFileSchema = z
  .strictObject({ rules: z.array(ruleSchema) })
  .refine(({ rules }) => new Set(rules.map(({ id }) => id)).size === rules.length, {
    path: ['rules'],
    message: 'rule ids must differ',
  });

/** The text that identifies the content of a rule: equal rules, equal text. */
export function ruleText(rule: AlertRule): string {
  return canonicalJson(rule);
}

/** Name of the kind of a rule. */
export function kindNameOf({ kind = DEFAULT_KIND }: Pick<AlertRule, 'kind'>): string {
  return kind;
}

/** A rule for people and programs that ask: with its kind, and its times as milliseconds under names that say so. */
export function ruleView(rule: AlertRule): Readonly<Record<string, unknown>> {
  const kind = kindNameOf(rule);
  const durations = ruleKindOf(kind)?.durations ?? [];
  return {
    ...Object.fromEntries(
      Object.entries(rule).map(([name, value]) => [durations.includes(name) ? `${name}Ms` : name, value]),
    ),
    kind,
  };
}

/** The kind of that name; undefined for one that only another version knows. */
export function ruleKindOf(name: string): RuleKind | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

export function appliesTo(
  rule: RuleHead,
  { site, device }: { readonly site: string; readonly device: string },
): boolean {
  const { sites, devices } = rule.select;
  return (sites?.includes(site) ?? true) && (devices?.includes(device) ?? true);
}
