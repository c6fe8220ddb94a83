import { Bridge, Broker, BrokerModule } from '#apps/broker';
import { NestLogger, type LoadedConfig, type Logger } from '#libs/platform';
import { NestFactory } from '@nestjs/core';
import { bridgeOptions, brokerOptions } from '../configuration/broker-options.js';
import { isInterrupted } from './claims.js';
import { systemClock, type Engines } from '../storage/engines.js';

export interface BrokerHost {
  /** Of the plain listener. */
  readonly port: number;
  metricsText(): Promise<string>;
  close(): Promise<void>;
}

/** Starts the listeners for devices, and the bridge if one is configured. */
export async function startBroker(
  config: LoadedConfig,
  engines: Engines,
  logger: Logger,
): Promise<BrokerHost> {
  const { journal, registry, deviceTokens, state } = engines;
  /** Devices post to it, in whatever process it runs. */
  const intakeListens = async (): Promise<boolean> =>
    !(await isInterrupted('http-intake', journal.shards, { state, clock: systemClock }));
  const section = config.mqtt.bridge;
  const bridge =
    section &&
    new Bridge(bridgeOptions(section, config), {
      ...{ journal, registry, clock: systemClock, logger },
      othersListen: async () => !broker.isHolding && (await intakeListens()),
    });
  const app = await NestFactory.createApplicationContext(
    BrokerModule.register(brokerOptions(config), {
      ...{ ...engines, tokens: deviceTokens, clock: systemClock, logger },
      othersListen: async () => (bridge?.isListening ?? true) && (await intakeListens()),
    }),
    { logger: new NestLogger(logger), abortOnError: false },
  );
  const broker = app.get(Broker);
  const close = async (): Promise<void> => {
    await bridge?.stop();
    await app.close();
  };
  try {
    await bridge?.start();
  } catch (error) {
    await close();
    throw error;
  }
  return { port: broker.port(), metricsText: () => broker.metricsText(), close };
}
