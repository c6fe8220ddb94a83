import { indicatorCatalogue } from '#libs/evidence';
import type { IndicatorDefinition } from '#libs/indicators';
import { configFile, type LoadedConfig } from '#libs/platform';

/** The indicators that come with Pantau, and those of this installation. @throws PantauError `CONFIG_INVALID` */
export function indicators(config: LoadedConfig): readonly IndicatorDefinition[] {
  return indicatorCatalogue(
    config.indicators === undefined ? undefined : configFile(config, config.indicators),
  );
}
