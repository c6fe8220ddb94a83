import type { LoadedConfig } from '#libs/platform';
import { readInstallation, recordInstallation } from '../configuration/installation.js';
import { openEngines, type Engines } from '../storage/engines.js';
import { Pulse, startWatchdog } from '../watchdog/watchdog.js';

/** What every process of Pantau has open, before anything of its own. */
export interface OpenProcess {
  readonly engines: Engines;
  readonly pulse: Pulse;
  /** The token of the first admin, when this start made it. */
  readonly firstAdminToken: string | undefined;
  /** Told what else is open; it is closed at the stop, the newest first. */
  readonly closes: (close: () => Promise<unknown>) => void;
  /** Closes what was opened: input first and storage last. */
  readonly stop: () => Promise<void>;
}

/** Opens a process and starts what is its own. @throws what the start throws; everything that was opened is closed again */
export async function withProcess<T>(
  config: LoadedConfig,
  start: (process: OpenProcess) => Promise<T>,
): Promise<T> {
  const declared = readInstallation(config);
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const pulse = new Pulse();
    closers.push(startWatchdog(pulse, config.watchdog));
    const engines = await openEngines(config);
    closers.push(() => engines.close());
    const firstAdminToken = await recordInstallation(declared, config, engines);
    const closes: OpenProcess['closes'] = (close) => void closers.push(close);
    const started = await start({ engines, pulse, firstAdminToken, closes, stop });
    const endBeats = pulse.beat('main');
    closers.unshift(async () => endBeats());
    return started;
  } catch (error) {
    await stop();
    throw error;
  }
}
