import { unchangedSince } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import { isParameter, MEASURED_CODES, remediesOf, type MeasuredParameter } from '#libs/telemetry';
import type { Command } from 'commander';
import type { Engines } from '../../storage/engines.js';
import { collect, tell, withEngines, type CommandContext } from '../shared.js';

/** `pantau device sensors` */
export function addSensorsCommand(device: Command, context: CommandContext): void {
  device
    .command('sensors')
    .description(
      'sensor yang dinamai pesan sebuah perangkat: yang dipakai, yang ditolak, dan cara memakainya / the sensors that the messages of a device name: which count, which are refused, and how to have them taken',
    )
    .argument('<id>')
    .option(
      '--counts <parameter=sensor>',
      'sensor yang dipakai untuk besaran ini, boleh berulang / the sensor that counts for this parameter, may be repeated',
      collect,
      [],
    )
    .option(
      '--map <device>',
      'mendaftarkan perangkat baru yang diwakili perangkat ini, untuk sensor yang dipetakan dengan aliases / register a new device that this one speaks for, for a sensor that aliases maps',
    )
    .action(async (id: string, { counts, map }: { counts: string[]; map?: string }) =>
      withEngines(context, async (engines) => {
        const { registry, administration, ingest } = engines;
        const before = await registry.device(id);
        if (before === undefined) throw new PantauError('DEVICE_UNKNOWN', `no device ${id} is registered.`);
        const chosen = Object.fromEntries(counts.map(choiceOf));
        if (map !== undefined && (await registry.device(map)) === undefined) {
          const { site, intervalMs } = before;
          const password = await administration.addDevice({
            id: map,
            site,
            kind: 'air',
            name: map,
            intervalMs,
          });
          tell(context, { [map]: password }, undefined);
        }
        const speaksFor = before.speaksFor ?? [];
        const spoken = map === undefined || speaksFor.includes(map) ? speaksFor : [...speaksFor, map];
        if (counts.length > 0 || spoken !== speaksFor)
          await registry.putDevice(
            {
              ...before,
              ...(counts.length === 0 ? {} : { sensors: { ...before.sensors, ...chosen } }),
              ...(spoken.length === 0 ? {} : { speaksFor: [...spoken] }),
            },
            undefined,
            unchangedSince(before),
          );
        for (const line of await linesOf(id, ingest, { ...before.sensors, ...chosen })) context.print(line);
      }),
    );
}

function choiceOf(text: string): readonly [MeasuredParameter, string] {
  const [, parameter = '', sensor = ''] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
  if (isParameter(parameter) && sensor.length <= 100) return [parameter, sensor];
  throw new PantauError(
    'USAGE',
    `--counts ${text}: expected a parameter and the name of a sensor such as temperature=BME280; parameters: ${MEASURED_CODES.join(', ')}.`,
  );
}

async function linesOf(
  id: string,
  ingest: Engines['ingest'],
  chosen: Partial<Readonly<Record<string, string>>>,
): Promise<readonly string[]> {
  const { counted, refused } = await ingest.sensors(id);
  const lines = Object.entries({ ...counted, ...chosen }).map(
    ([parameter, name]) => `${parameter}\t${name}\tdipakai / counts`,
  );
  for (const sensor of refused) {
    if (chosen[sensor.parameter] === sensor.name) continue;
    const { name, parameter, value, unit, count } = sensor;
    const { alias, add, count: choose } = remediesOf(id, sensor);
    lines.push(`${parameter}\t${name}\tditolak / refused\t${count} × (${value} ${unit})`);
    lines.push(`  mappings di / in pantau.yaml: ${alias}`, `  ${add}`);
    if (choose !== undefined) lines.push(`  atau / or: ${choose}`);
  }
  return lines.length === 0 ? ['tidak ada sensor bernama / no sensor with a name'] : lines;
}
