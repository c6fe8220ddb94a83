import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Structured logs, one JSON object a line, on standard error: standard output belongs to the command line. */
export function createLogger(level: string, app: string): Logger {
  return pino(
    { level, base: { app }, redact: ['*.password', '*.token'] },
    pino.destination({ dest: 2, sync: false }),
  );
}

/** Nest's own messages, in the same form. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: string): void {
    // Nest announces every module and route at start; that is for debugging.
    this.logger.debug({ context }, String(message));
  }

  warn(message: unknown, context?: string): void {
    this.logger.warn({ context }, String(message));
  }

  error(message: unknown, stack?: string, context?: string): void {
    this.logger.error({ context, stack }, message instanceof Error ? message.message : String(message));
  }
}
