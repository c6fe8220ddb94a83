import { Module, type DynamicModule } from '@nestjs/common';
import { HTTP_INTAKE_OPTIONS, HttpIntakeServer } from './http-intake-server.js';
import type { HttpIntakeOptions } from './options.js';

/** Uplinks over HTTP, beside the broker. */
@Module({})
export class HttpIntakeModule {
  static register(options: HttpIntakeOptions): DynamicModule {
    return {
      module: HttpIntakeModule,
      providers: [{ provide: HTTP_INTAKE_OPTIONS, useValue: options }, HttpIntakeServer],
    };
  }
}
