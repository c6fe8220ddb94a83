import { InvalidArgumentError, Option, type Command } from 'commander';
import { durationArgument, wholeNumber, type CommandContext } from './shared.js';
import type { SimulateOptions } from './simulation.js';

/** `pantau simulate`: rehearses a scenario against a running Pantau. */
export function addSimulateCommand(
  program: Command,
  context: CommandContext,
  speed: (text: string) => number | 'max',
): void {
  program
    .command('simulate')
    .description('memperagakan skenario tanpa perangkat keras / rehearse a scenario without hardware')
    .argument('[scenario]', 'nama skenario atau berkas YAML / name of a scenario or a YAML file')
    .option('--list', 'daftar skenario bawaan / the scenarios that come with Pantau', false)
    .option('--url <url>', 'broker MQTT; bawaan dari konfigurasi / from the configuration by default')
    .option('--api <url>', 'alamat API Pantau / address of its API')
    .addOption(new Option('--token <token>', 'token admin / token of an administrator').env('PANTAU_TOKEN'))
    .option(
      '--speed <factor>',
      'detik simulasi per detik / simulated seconds per second, or max',
      speed,
      'max',
    )
    .option('--seed <number>', 'benih lain / another seed', wholeNumber)
    .option('--start <instant>', 'mulai pada waktu lain / begin at another time (ISO 8601)')
    .option(
      '--go-on <duration>',
      'berakhir sekarang, lalu berlanjut langsung selama ini / ends now, then goes on in real time for so long',
      durationArgument,
    )
    .option('--scale <share>', 'armada lebih kecil, 0.01 sampai 1 / a smaller fleet, 0.01 to 1', share)
    .option(
      '--patience <duration>',
      'menyerah bila broker diam selama ini / give up when the broker is silent for so long',
      durationArgument,
    )
    .option('--truth <file>', 'tulis kebenarannya / write the truth (JSON Lines)')
    .option('--check', 'bandingkan dengan yang dilihat Pantau / compare with what Pantau saw', false)
    .option(
      '--report <file>',
      'laporan pemeriksaan dengan gambar; berarti --check / report of the check with pictures (Markdown and SVG); implies --check',
    )
    .action(async (name: string | undefined, options: SimulateOptions) => {
      const { simulate } = await import('./simulation.js');
      await simulate(context, name, options);
    });
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('expected a number above 0, at most 1');
}
