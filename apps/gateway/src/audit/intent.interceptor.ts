import { messageOf, MINUTE } from '#libs/kernel';
import {
  Inject,
  Injectable,
  Logger,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { from, switchMap, type Observable } from 'rxjs';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { AuthenticatedRequest } from '../http/auth.js';
import { changes } from '../http/browser/same-site.js';
import { AUDITED, type Audited } from './audit-note.js';
import { askedBy } from './record-changes.js';

/** Notes what is about to be changed before the route is called, and makes entries of what was left behind. */
@Injectable()
export class IntentInterceptor implements NestInterceptor, OnModuleDestroy {
  readonly #log = new Logger('audit');
  readonly #settling: NodeJS.Timeout;

  constructor(
    @Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {
    this.#settling = setInterval(() => void this.#settle(), MINUTE).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#settling);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest & Audited>();
    const isAudited = this.reflector.get<boolean | undefined>(AUDITED, context.getHandler()) === true;
    if (!isAudited && !changes(request)) return next.handle();
    return from(this.pantau.audit.begin(askedBy(request))).pipe(
      switchMap((intent) => {
        request.auditIntent = intent;
        return next.handle();
      }),
    );
  }

  async #settle(): Promise<void> {
    try {
      await this.pantau.audit.settle((fault) =>
        this.#log.warn(`an entry cannot be read and is passed over: ${messageOf(fault)}`),
      );
    } catch (error) {
      this.#log.warn(`changes that were left behind are not recorded yet: ${messageOf(error)}`);
    }
  }
}
