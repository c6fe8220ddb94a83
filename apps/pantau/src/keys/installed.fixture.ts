import { eachEntry, lagOf } from '#libs/journal';
import { createLogger, type LoadedConfig } from '#libs/platform';
import { waitUntil } from '#libs/testing';
import mqtt from 'mqtt';
import { startBroker } from '../processes/broker-host.js';
import { openEngines, type Engines } from '../storage/engines.js';
import { readInstallation, recordInstallation } from '../configuration/installation.js';
import { startStages } from '../processes/stage-host.js';
import { STAGES } from '../stages.js';
import { Pulse } from '../watchdog/watchdog.js';

/** With what the configuration declares on record, as at a start. */
export async function withInstalled<T>(
  config: LoadedConfig,
  use: (engines: Engines) => T | Promise<T>,
): Promise<T> {
  const engines = await openEngines(config);
  try {
    await recordInstallation(readInstallation(config), config, engines);
    return await use(engines);
  } finally {
    await engines.close();
  }
}

/** What a device said over MQTT, and what became of it. */
export type Said = readonly [topic: string, payload: object];

/** The listeners for devices and ingest, in this process. */
export interface Listening {
  /** Where devices post; undefined without a port of its own. */
  readonly intakePort: number | undefined;
  readonly engines: Engines;
  /** A device logs in with a new password and says this; `refused` when it is not let in. */
  readonly say: (device: string, said: readonly Said[]) => Promise<'acknowledged' | 'refused'>;
  /** Everything that was read, as `device parameter value`, or why it was not. */
  readonly read: () => Promise<readonly string[]>;
}

/** Runs for as long as the caller uses it. Ports are free ones unless the configuration says otherwise. */
export async function withListening<T>(
  config: LoadedConfig,
  use: (listening: Listening) => Promise<T>,
): Promise<T> {
  const logger = createLogger('silent', 'test');
  const engines = await openEngines(config);
  const closers: (() => Promise<unknown>)[] = [() => engines.close()];
  const close = async (): Promise<void> => {
    for (let one = closers.pop(); one !== undefined; one = closers.pop()) await one();
  };
  try {
    await recordInstallation(readInstallation(config), config, engines);
    const stages = STAGES.filter(({ name }) => name === 'http-intake' || name === 'ingest');
    const pulse = new Pulse();
    const host = await startStages(stages, { config, logger, pulse, threads: ['main'] });
    closers.push(() => host.stop());
    const broker = await startBroker(config, engines, logger);
    closers.push(() => broker.close());
    return await use({
      ...{ engines, intakePort: host.intakePort },
      async say(device, said) {
        const url = `mqtt://127.0.0.1:${broker.port}`;
        const known = (await engines.registry.device(device)) !== undefined;
        const password = known ? await engines.credentials.issue(device) : 'none';
        const options = { clientId: device, username: device, password, reconnectPeriod: 0 };
        const client = await mqtt.connectAsync(url, options, false).catch(() => undefined);
        if (client === undefined) return 'refused';
        for (const [topic, payload] of said)
          await client.publishAsync(topic, JSON.stringify(payload), { qos: 1 });
        await client.endAsync();
        return 'acknowledged';
      },
      async read() {
        const hasRead = async (): Promise<boolean> =>
          (await lagOf(engines.journal, 'ingest', 'uplink')) === 0;
        await waitUntil('ingest has read all', hasRead);
        const lines: string[] = [];
        await eachEntry(engines.journal, 'readings', ({ data: { device, readings } }) => {
          for (const { parameter, value } of readings) lines.push(`${device} ${parameter} ${value}`);
        });
        await eachEntry(engines.journal, 'rejected', ({ data }) => void lines.push(data.reason));
        return lines;
      },
    });
  } finally {
    await close();
  }
}
