import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { GatewayDependencies } from './dependencies.js';
import { GatewayModule } from './gateway.js';
import { apiDocument } from './http/document.js';

/** The document of the API, without serving it: no route is called. */
export async function describeApi(): Promise<OpenAPIObject> {
  const app = await NestFactory.create<NestFastifyApplication>(
    GatewayModule.register({} as GatewayDependencies),
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  );
  return apiDocument(app);
}
