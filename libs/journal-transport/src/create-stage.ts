import {
  Catch,
  type DynamicModule,
  type ExceptionFilter,
  type INestMicroservice,
  type LoggerService,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { Stage } from './stage.js';
import { JournalServer, type JournalServerOptions } from './journal-server.js';

/** Hands an error to the transport as it was thrown. Nest's own filter would replace it by "Internal server error". */
@Catch()
class PassOnFilter implements ExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** Makes a stage: a Nest microservice whose `@FromStream` handlers read streams of the journal. */
export async function createStage(
  module: DynamicModule,
  options: JournalServerOptions & { readonly logger: LoggerService },
): Promise<INestMicroservice> {
  const { logger, ...serverOptions } = options;
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    strategy: new JournalServer(serverOptions),
    logger,
    abortOnError: false,
  });
  app.useGlobalFilters(new PassOnFilter());
  return app;
}

/** Runs a stage as its app declares it. @returns what stops it, once its running batches are committed */
export async function startStage<Options>(
  stage: Stage<Options>,
  options: Options,
  server: Omit<JournalServerOptions, 'stage' | 'reads' | 'appends'> & { readonly logger: LoggerService },
): Promise<() => Promise<void>> {
  const { name, reads, appends } = stage;
  const app = await createStage(await stage.module(options), { ...server, stage: name, reads, appends });
  await app.listen();
  return () => app.close();
}
