import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the configuration of a server into a folder, with these values in their places. @returns its path */
export function writeConfiguration(
  name: 'influxdb.conf' | 'mosquitto.conf',
  folder: string,
  values: Readonly<Record<string, string | number | boolean>>,
): string {
  const template = readFileSync(join(import.meta.dirname, 'configuration', name), 'utf8');
  const file = join(folder, name);
  writeFileSync(
    file,
    template.replace(/\{(\w+)\}/g, (_, place: string) => String(values[place])),
  );
  return file;
}
