import { indicatorsFileSchema, type IndicatorDefinition } from '#libs/indicators';
import { PantauError } from '#libs/kernel';
import { readYamlFile } from '#libs/platform';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The indicators that come with Pantau (`config/indicators.yaml` of the package), and those of a file of the installation.
 *
 * @throws PantauError `CONFIG_UNREADABLE`; `CONFIG_INVALID` with file, line and expectation, also for a key that is there already
 */
export function indicatorCatalogue(ownFile?: string): readonly IndicatorDefinition[] {
  const shipped = readYamlFile(shippedFile(), indicatorsFileSchema).indicators.map((definition) => ({
    ...definition,
    isShipped: true,
  }));
  if (ownFile === undefined) return shipped;
  const own = indicatorsFileSchema.refine(
    ({ indicators }) => !indicators.some(({ key }) => shipped.some((known) => known.key === key)),
    {
      path: ['indicators'],
      message: 'an indicator that comes with Pantau cannot be defined anew: take another key',
    },
  );
  return [...shipped, ...readYamlFile(ownFile, own).indicators];
}

/** Beside the package's manifest, whether this runs from the sources or from what was built of them. */
function shippedFile(): string {
  for (let folder = import.meta.dirname; dirname(folder) !== folder; folder = dirname(folder))
    if (existsSync(join(folder, 'package.json'))) return join(folder, 'config', 'indicators.yaml');
  throw new PantauError('CONFIG_UNREADABLE', 'the package of Pantau has no config/indicators.yaml.', {
    remedy: 'Install Pantau anew.',
  });
}
