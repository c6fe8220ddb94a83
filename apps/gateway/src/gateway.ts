import {
  answerClientError,
  closeInTime,
  KnownPaths,
  portInUse,
  REQUEST_TIMEOUT,
  sendProblem,
} from '#libs/http';
import { PantauError, parseJson, REQUEST_BOUNDS, type Millis } from '#libs/kernel';
import { NestLogger, type Logger } from '#libs/platform';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DEPENDENCIES, type GatewayDependencies } from './dependencies.js';
import { SitesController } from './sites/sites.controller.js';
import { DevicesController } from './devices/devices.controller.js';
import { DeviceAccessController } from './access/device-access.controller.js';
import { ServiceAccountsController } from './access/service-accounts.controller.js';
import { BrokerController } from './broker/broker.controller.js';
import { TokensController } from './tokens/tokens.controller.js';
import { RulesController } from './rules/rules.controller.js';
import { ReadingsController } from './readings/readings.controller.js';
import { RollupsController } from './rollups/rollups.controller.js';
import { AlertsController } from './alerts/alerts.controller.js';
import { IndicatorsController } from './indicators/indicators.controller.js';
import { RejectedController } from './rejected/rejected.controller.js';
import { CommandsController } from './commands/commands.controller.js';
import { ConfigurationController } from './configuration/configuration.controller.js';
import { MessagesController } from './messages/messages.controller.js';
import { JournalController } from './journal/journal.controller.js';
import { ClaimController } from './provisioning/claim.controller.js';
import { DeviceTimelineController } from './devices/device-timeline.controller.js';
import { DeviceSensorsController } from './devices/device-sensors.controller.js';
import { HealthController } from './health/health.controller.js';
import { answerConditionally } from './exchange/conditional.js';
import { IdempotencyInterceptor } from './exchange/idempotency.js';
import { RateGuard } from './exchange/rate-limit.js';
import { apiDocument } from './http/document.js';
import { AccessGuard, AuthenticationGuard } from './http/auth.js';
import { SessionController } from './accounts/session.controller.js';
import { UsersController } from './accounts/users.controller.js';
import { AccessTokensController } from './accounts/access-tokens.controller.js';
import { SecondFactorController } from './accounts/second-factor.controller.js';
import { OpenIdController } from './accounts/open-id.controller.js';
import { AuditController } from './audit/audit.controller.js';
import { IntentInterceptor } from './audit/intent.interceptor.js';
import { recordChanges } from './audit/record-changes.js';
import { PAGE_STYLES, serveDocsStyles } from './http/browser/docs-page.js';
import { sendSecurityHeaders, withoutPublicPath } from './http/browser/security-headers.js';
import { ProblemFilter } from './http/problem.filter.js';
import { assertEveryRouteDecided } from './http/permission.js';
import { SiteScopeGuard } from './accounts/site-scope.guard.js';
import { NamesGuard } from './http/names.guard.js';
import { handOnUplinks, type HandOnOptions } from './uplinks/hand-on-uplinks.js';
import { MappingsController } from './mappings/mappings.controller.js';
import { ForeignTopicsController } from './foreign-topics/foreign-topics.controller.js';
import { ReconciliationController } from './reconciliation/reconciliation.controller.js';
import { FLAP_GRACE_MS, ProjectionController } from './views/projection.controller.js';
import { DisplayController } from './display/display.controller.js';
import { LiveController } from './live/live.controller.js';
import { StationsController } from './stations/stations.controller.js';
import { StorageController } from './storage/storage.controller.js';
import { PageController } from './page/page.controller.js';
import { readPageFiles } from './page/page-files.js';
import { servePage } from './page/serve-page.js';
import { TableInterceptor } from './tables/table.interceptor.js';
import { ValuesController } from './values/values.controller.js';
import { StationsProjection } from './stations/stations.projection.js';

/** The stage that keeps the read models behind the API. */
@Module({})
export class ProjectionModule {
  static register(flapGraceMs: Millis): DynamicModule {
    return {
      module: ProjectionModule,
      controllers: [ProjectionController, StationsProjection],
      providers: [{ provide: FLAP_GRACE_MS, useValue: flapGraceMs }],
    };
  }
}

/** REST, OpenAPI. */
@Module({})
export class GatewayModule {
  static register(dependencies: GatewayDependencies): DynamicModule {
    return {
      module: GatewayModule,
      controllers: [
        HealthController,
        SitesController,
        DevicesController,
        TokensController,
        DeviceAccessController,
        ServiceAccountsController,
        BrokerController,
        StorageController,
        RulesController,
        ReadingsController,
        RollupsController,
        AlertsController,
        IndicatorsController,
        RejectedController,
        CommandsController,
        ConfigurationController,
        StationsController,
        DisplayController,
        ValuesController,
        LiveController,
        ReconciliationController,
        DeviceSensorsController,
        DeviceTimelineController,
        ForeignTopicsController,
        MappingsController,
        ClaimController,
        JournalController,
        MessagesController,
        SessionController,
        UsersController,
        AccessTokensController,
        AuditController,
        SecondFactorController,
        OpenIdController,
        PageController,
      ],
      providers: [
        { provide: DEPENDENCIES, useValue: dependencies },
        { provide: APP_GUARD, useClass: AuthenticationGuard },
        { provide: APP_GUARD, useClass: RateGuard },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_GUARD, useClass: SiteScopeGuard },
        { provide: APP_GUARD, useClass: NamesGuard },
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: APP_INTERCEPTOR, useClass: IntentInterceptor },
        { provide: APP_INTERCEPTOR, useClass: TableInterceptor },
      ],
    };
  }
}

export interface GatewayOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Proxies whose word on where a request comes from is believed. */
  readonly trustProxy: readonly string[];
  readonly logger: Logger;
  /** Of the routes on which devices post. */
  readonly uplinks: HandOnOptions;
  /** The folder of the page that was built. */
  readonly page: string;
}

/** The API without its pages and without the routes of devices. */
export async function gatewayApp(
  dependencies: GatewayDependencies,
  { trustProxy, logger }: Pick<GatewayOptions, 'trustProxy' | 'logger'>,
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    GatewayModule.register(dependencies),
    new FastifyAdapter({
      requestTimeout: REQUEST_TIMEOUT,
      trustProxy: trustProxy.length === 0 ? false : [...trustProxy],
      rewriteUrl: ({ url = '/' }) => withoutPublicPath(url, dependencies.publicUrl),
      clientErrorHandler: answerClientError,
      frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
        void sendProblem(error, request, reply, 'Bearer'),
    }),
    {
      // A parser with bounds instead, below.
      bodyParser: false,
      logger: new NestLogger(logger),
      abortOnError: false,
    },
  );
  assertEveryRouteDecided(app);
  if (dependencies.publicUrl !== undefined && trustProxy.length === 0)
    logger.warn(
      'http.publicUrl is set and http.trustProxy is empty: everybody counts as the address of the proxy, so whoever guesses passwords makes all others wait. Name the proxy in http.trustProxy.',
    );
  const fastify = app.getHttpAdapter().getInstance();
  closeInTime(fastify);
  sendSecurityHeaders(fastify, dependencies.publicUrl);
  recordChanges(fastify, () => dependencies.audit, logger);
  answerConditionally(fastify);
  const paths = new KnownPaths(fastify);
  takeJson(fastify);
  app.useGlobalFilters(new ProblemFilter(logger, (request) => paths.allowed(request)));
  return app;
}

/** Makes the HTTP side and listens. @throws PantauError `PORT_IN_USE` */
export async function startGateway(
  dependencies: GatewayDependencies,
  { host, port, trustProxy, logger, uplinks, page }: GatewayOptions,
): Promise<NestFastifyApplication> {
  const app = await gatewayApp(dependencies, { trustProxy, logger });
  serveDocsStyles(app.getHttpAdapter().getInstance());
  SwaggerModule.setup('api/docs', app, () => apiDocument(app, dependencies.publicUrl), {
    customCssUrl: PAGE_STYLES,
    // Without the bar on top, whose logo has styles within itself: the policy allows none.
    swaggerOptions: { layout: 'BaseLayout' },
  });
  // Nest's body parsers would judge the content; these routes take it as it is.
  const fastify = app.getHttpAdapter().getInstance();
  await fastify.register(handOnUplinks(uplinks, logger));
  servePage(fastify, await readPageFiles(page, dependencies.publicUrl?.path ?? ''));
  try {
    await app.listen(port, host);
  } catch (cause) {
    await app.close();
    throw portInUse({ host, port }, { key: 'http.port', variable: 'PANTAU_HTTP_PORT' }, cause);
  }
  return app;
}

/** JSON within bounds is the one kind of body that the API takes. */
function takeJson(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const options = { parseAs: 'buffer', bodyLimit: REQUEST_BOUNDS.bytes } as const;
  fastify.addContentTypeParser('application/json', options, async (_request: unknown, body: Buffer) => {
    try {
      return parseJson(body, REQUEST_BOUNDS, 'body');
    } catch (cause) {
      if (cause instanceof PantauError) throw cause;
      throw new PantauError('USAGE', 'the body is no JSON.', {
        cause,
        fields: [{ field: 'body', message: 'expected JSON' }],
      });
    }
  });
}
