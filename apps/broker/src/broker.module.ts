import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Broker } from './broker.js';
import type { BrokerDependencies, BrokerOptions } from './broker-options.js';

@Injectable()
class BrokerLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(@Inject(Broker) private readonly broker: Broker) {}

  async onModuleInit(): Promise<void> {
    await this.broker.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.broker.stop();
  }
}

/** The MQTT ingress. */
@Module({})
export class BrokerModule {
  static register(options: BrokerOptions, dependencies: BrokerDependencies): DynamicModule {
    return {
      module: BrokerModule,
      providers: [{ provide: Broker, useFactory: () => new Broker(options, dependencies) }, BrokerLifecycle],
      exports: [Broker],
    };
  }
}
