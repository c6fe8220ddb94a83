import { nearestName, PantauError } from '#libs/kernel';
import type { LoadedConfig, Logger } from '#libs/platform';
import type { BrokerHost } from './broker-host.js';
import { startMetricsServer } from './metrics-server.js';
import { startStages } from './stage-host.js';
import { STAGES } from '../stages.js';
import { unreadableRowsMetrics } from './unreadable-rows.js';
import { pulseMetrics } from '../watchdog/watchdog.js';
import { withProcess } from './with-process.js';

/** The listeners for devices: no stage, because they read no stream with a cursor. */
export const BROKER = 'broker';
/** What `pantau run` can run. */
export const RUNNABLE: readonly string[] = [BROKER, ...STAGES.map(({ name }) => name)];

export interface RunningProcess {
  readonly mqttPort: number | undefined;
  readonly httpPort: number | undefined;
  readonly intakePort: number | undefined;
  readonly firstAdminToken: string | undefined;
  /** What a link for the first administrator needs, while there is none. */
  readonly setupLink: string | undefined;
  /** Stops input first and storage last. */
  stop(): Promise<void>;
}

/**
 * Runs some of the stages in this process, beside others over the same data folder.
 *
 * @param shards - of each stage; all by default
 * @throws PantauError `USAGE` for a stage that does not exist, `SHARD_CLAIMED` when another process runs it
 */
export async function runProcess(
  names: readonly string[],
  config: LoadedConfig,
  logger: Logger,
  shards?: readonly number[],
): Promise<RunningProcess> {
  for (const name of names) {
    if (RUNNABLE.includes(name)) continue;
    const nearest = nearestName(name, RUNNABLE);
    throw new PantauError(
      'USAGE',
      `no stage ${name}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
      {
        remedy: `There are: ${RUNNABLE.join(', ')}.`,
      },
    );
  }
  return withProcess(config, async ({ engines, pulse, firstAdminToken, closes, stop }) => {
    const stages = STAGES.filter(({ name }) => names.includes(name));
    const host = await startStages(stages, { config, logger, pulse, threads: ['main'], shards });
    closes(() => host.stop());
    let broker: BrokerHost | undefined;
    if (names.includes(BROKER)) {
      const { startBroker } = await import('./broker-host.js');
      const opened = await startBroker(config, engines, logger);
      broker = opened;
      closes(() => opened.close());
    }
    const lags = pulseMetrics(pulse);
    const unreadable = unreadableRowsMetrics(async () => [engines.unreadableRows, host.unreadableRows]);
    const metrics = await startMetricsServer(config.metrics, async () =>
      [(await broker?.metricsText()) ?? '', await host.metricsText(), await unreadable(), await lags()].join(
        '\n',
      ),
    );
    if (metrics !== undefined) closes(() => metrics.close());
    const { httpPort, intakePort } = host;
    // By the process that people reach: of several links the newest is valid.
    const setupLink = httpPort === undefined ? undefined : await engines.users.setupLink();
    return { mqttPort: broker?.port, httpPort, intakePort, firstAdminToken, setupLink, stop };
  });
}
