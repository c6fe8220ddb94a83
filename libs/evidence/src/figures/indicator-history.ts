import { settingAt, type Settings, type SettingsHistory } from '#libs/identity';
import { asWritten, indicatorSchema, type IndicatorDefinition, type IndicatorRecord } from '#libs/indicators';
import { canonicalJson, defined, PantauError, type TimeSpan } from '#libs/kernel';

/** Name of the setting that holds the definition of an indicator. */
const settingOf = (key: string): string => `indicator/${key}`;

/** What tells one method from another. */
const methodOf = ({ function: name, arguments: args, unit, deviceKind }: IndicatorDefinition): string =>
  canonicalJson({ name, args, unit, deviceKind: deviceKind ?? null });

/**
 * Records the definitions where they differ from before: a figure follows from the one that held at the end of its period.
 *
 * @throws PantauError `CONFIG_INVALID` for another method under the same version, or another subject or period under the same key
 */
export async function recordIndicators(
  settings: Settings,
  definitions: readonly IndicatorDefinition[],
): Promise<void> {
  for (const definition of definitions) await assertTold(settings, definition);
  for (const definition of definitions)
    await settings.declare(settingOf(definition.key), asWritten(definition));
}

async function assertTold(settings: Settings, definition: IndicatorDefinition): Promise<void> {
  const { key, version, subject, period } = definition;
  const before = (await settings.last<IndicatorDefinition>(settingOf(key)))?.value;
  if (before === undefined) return;
  if (before.subject !== subject || before.period !== period)
    throw new PantauError(
      'CONFIG_INVALID',
      `indicator ${key} was of a ${before.subject} and a ${before.period}, and is of a ${subject} and a ${period}: that is another key.`,
      { remedy: 'Leave it as it was, and add an indicator of another key.' },
    );
  if (before.version === version && methodOf(before) !== methodOf(definition))
    throw new PantauError(
      'CONFIG_INVALID',
      `indicator ${key} is computed otherwise than before under the same version, ${version}.`,
      { remedy: 'Raise its version, so that its figures can be told from the old ones.' },
    );
}

/**
 * The definition by which the figure of a period is computed, with what the figure says of it. The first one of a key goes without
 * saying: figures that were handed out before definitions were recorded come out the same.
 *
 * @param current - where none is recorded
 * @throws PantauError `NOT_FOUND` for one that this version of Pantau does not understand
 */
export async function definitionAt(
  settings: SettingsHistory,
  current: IndicatorDefinition,
  period: TimeSpan,
): Promise<{
  readonly definition: IndicatorDefinition;
  readonly said: NonNullable<IndicatorRecord['settings']>;
}> {
  const name = settingOf(current.key);
  const held = settingAt(await settings.history<IndicatorDefinition>(name), period.to - 1);
  if (held === undefined) return { definition: current, said: [] };
  const parsed = indicatorSchema.safeParse(held.value);
  if (!parsed.success)
    throw new PantauError(
      'NOT_FOUND',
      `this version of Pantau cannot compute ${current.key} version ${held.value.version}: ${parsed.error.issues[0]?.message.replace(/\.$/, '') ?? ''}.`,
      { remedy: 'Compute it with the version of Pantau that had its function.' },
    );
  const { from, digest } = held;
  const said = from === 0 ? [] : [{ name, from: new Date(from).toISOString(), digest }];
  return { definition: { ...parsed.data, ...defined({ isShipped: current.isShipped }) }, said };
}
