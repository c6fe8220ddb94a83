import { rulesFileSchema, type AlertRule } from '#libs/alerting';
import { configFile, readYamlFile, type LoadedConfig } from '#libs/platform';
import { qcLimitsSchema, type QcLimitsFile } from '#libs/quality-control';

/** The rules of alerts. @throws PantauError `CONFIG_INVALID` with file, line and expectation */
export function alertRules(config: LoadedConfig): readonly AlertRule[] {
  return readYamlFile(configFile(config, config.rules), rulesFileSchema).rules;
}

/**
 * Limits of the quality tests that differ from the shipped ones; undefined when there is no such file.
 *
 * @throws PantauError `CONFIG_INVALID` with file, line and expectation
 */
export function qualityLimits(config: LoadedConfig): QcLimitsFile | undefined {
  const { qualityControl } = config;
  return qualityControl === undefined
    ? undefined
    : readYamlFile(configFile(config, qualityControl), qcLimitsSchema);
}
