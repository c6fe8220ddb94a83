import { DAY, PantauError, SECOND } from '#libs/kernel';
import {
  applyDecorators,
  Inject,
  Injectable,
  SetMetadata,
  StreamableFile,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { from, lastValueFrom, map, type Observable } from 'rxjs';
import type { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import type { AuthenticatedRequest } from '../http/auth.js';
import { ANSWER, QUERY } from '../http/openapi.js';
import { CSV_TYPE, PARQUET_EXTENSION, PARQUET_TYPE } from './describe-tables.js';
import type { readingSchema } from '../readings/readings-answer.js';
import { columnsOf, type Column } from './columns.js';
import { csvOf, type CsvSpan } from './csv.js';
import { FIELDS_TYPE, membersAsked, onlyThese } from './fields.js';
import { parquetOf } from './parquet.js';

const PARQUET = 'pantau:parquet';
/** Readings also as Parquet. */
export const AlsoParquet = (): MethodDecorator =>
  applyDecorators(SetMetadata(PARQUET, true), ApiExtension(PARQUET_EXTENSION, true));

/** Files that are being sent at one time: each reads as fast as its reader takes it. */
const MOST_FILES = 4;
/** How often it is looked at whether whoever asked may still read. */
const RIGHTS_LOOKED_AT = 5 * SECOND;

type Query = Readonly<Record<string, unknown>>;
type Handler = ReturnType<ExecutionContext['getHandler']>;

/** What is known of a route whose answer is a list. */
interface Table {
  readonly columns: readonly Column[];
  /** The largest page that it gives. */
  readonly limit: number | undefined;
  /** Of a query over stored values, how many days it goes back by itself. */
  readonly defaultDays: number | undefined;
  readonly isAlsoParquet: boolean;
}

/**
 * Every list as a file: `format=csv` gives all that the filters fit, in the columns of the answer's schema. The route is asked
 * page by page, as a client would, so the file holds the same figures, and no more of it is in memory than a page.
 */
@Injectable()
export class TableInterceptor implements NestInterceptor {
  readonly #tables = new Map<Handler, Table | undefined>();
  #files = 0;

  constructor(
    @Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const { format, fields, ...query } = request.query as Query;
    const isAsked = format !== undefined || fields !== undefined;
    const table = isAsked ? this.#tableOf(context.getHandler()) : undefined;
    if (table === undefined) return next.handle();
    request.query = query;
    const wanted = fields === undefined ? undefined : membersAsked(fields, table.columns);
    const reply = http.getResponse<FastifyReply>();
    if (format === undefined || format === 'json')
      return wanted === undefined ? next.handle() : sparsely(next, wanted, table, reply);
    if (format !== 'csv' && !(format === 'parquet' && table.isAlsoParquet)) throw unknownFormat(table);
    if (format === 'parquet' && wanted !== undefined) throw noFields();
    const columns = table.columns.filter(({ member }) => wanted?.has(member) ?? true);
    return from(this.#file(format, { ...table, columns }, request, reply, next));
  }

  async #file(
    format: 'csv' | 'parquet',
    table: Table,
    request: AuthenticatedRequest,
    reply: FastifyReply,
    next: CallHandler,
  ): Promise<StreamableFile | string> {
    if (this.#files >= MOST_FILES)
      throw new PantauError('OVERLOADED', `${MOST_FILES} files are being sent already.`, {
        remedy: 'Try again when one of them is done.',
        transient: true,
      });
    const span = this.#pinned(request, table);
    const name = request.routeOptions.url?.split('/').findLast((part) => !part.startsWith(':')) ?? 'pantau';
    void reply
      .header('content-type', format === 'csv' ? `${CSV_TYPE}; charset=utf-8` : PARQUET_TYPE)
      .header('content-disposition', `attachment; filename="pantau-${name}.${format}"`)
      .header('cache-control', 'no-store');
    const pages = this.#pages(request, next);
    this.#files++;
    try {
      // What is refused is a problem with its status, so the first page comes before the answer begins.
      const first = await pages.next();
      if (request.method === 'HEAD') return this.#ended('');
      const all = rest(first, pages);
      const parts =
        format === 'csv'
          ? csvOf(table.columns, all, span)
          : parquetOf(all as AsyncIterable<readonly Answer<typeof readingSchema>[]>);
      const stream = Readable.from(parts, { highWaterMark: 1 });
      stream.once('close', () => this.#files--);
      return new StreamableFile(stream);
    } catch (error) {
      this.#ended('');
      reply.removeHeader('content-disposition');
      throw error;
    }
  }

  #ended<T>(answer: T): T {
    this.#files--;
    return answer;
  }

  /** Both ends of the interval stay as they are from the first page to the last, and stand in the file. */
  #pinned(request: AuthenticatedRequest, { limit, defaultDays }: Table): CsvSpan {
    const query: Record<string, unknown> = { ...(request.query as Query) };
    if (limit !== undefined) query['limit'] = String(limit);
    if (defaultDays !== undefined) {
      query['to'] ??= new Date(this.pantau.clock.now()).toISOString();
      const to = Date.parse(String(query['to']));
      if (Number.isFinite(to)) query['from'] ??= new Date(Math.max(0, to - defaultDays * DAY)).toISOString();
    }
    request.query = query;
    const { from, to } = query;
    return { from: typeof from === 'string' ? from : undefined, to: typeof to === 'string' ? to : undefined };
  }

  async *#pages(request: AuthenticatedRequest, next: CallHandler): AsyncGenerator<readonly object[]> {
    const query = request.query as Query;
    let lookedAt = performance.now();
    for (;;) {
      const page = (await lastValueFrom(next.handle())) as { items: readonly object[]; next?: string };
      yield page.items;
      if (page.next === undefined) return;
      request.query = { ...query, after: page.next };
      if (performance.now() - lookedAt < RIGHTS_LOOKED_AT) continue;
      if ((await request.stillHolds?.()) === false)
        throw new PantauError('FORBIDDEN', 'the session or token was ended.');
      lookedAt = performance.now();
    }
  }

  #tableOf(handler: Handler): Table | undefined {
    if (!this.#tables.has(handler)) this.#tables.set(handler, tableOf(this.reflector, handler));
    return this.#tables.get(handler);
  }
}

function tableOf(reflector: Reflector, handler: Handler): Table | undefined {
  const answer = reflector.get<z.ZodType | undefined>(ANSWER, handler);
  const columns = answer === undefined ? undefined : columnsOf(answer);
  if (columns === undefined) return undefined;
  const query = reflector.get<Readonly<Record<string, Query>> | undefined>(QUERY, handler) ?? {};
  return {
    columns,
    limit: query['limit']?.['maximum'] as number | undefined,
    defaultDays: query['from']?.['x-default-days'] as number | undefined,
    isAlsoParquet: reflector.get<boolean | undefined>(PARQUET, handler) === true,
  };
}

function sparsely(
  next: CallHandler,
  wanted: ReadonlySet<string>,
  { columns }: Table,
  reply: FastifyReply,
): Observable<unknown> {
  const only = onlyThese(wanted, columns);
  return next.handle().pipe(
    map((page: { items: readonly object[] }) => {
      void reply.header('content-type', `${FIELDS_TYPE}; charset=utf-8`);
      return { ...page, items: page.items.map(only) };
    }),
  );
}

function noFields(): PantauError {
  const message = 'expected none with format=parquet, which has columns of its own';
  return new PantauError('USAGE', `fields: ${message}`, { fields: [{ field: 'fields', message }] });
}

function unknownFormat({ isAlsoParquet }: Table): PantauError {
  const message = `expected json or csv${isAlsoParquet ? ' or parquet' : ''}`;
  return new PantauError('USAGE', `format: ${message}`, { fields: [{ field: 'format', message }] });
}

async function* rest(
  first: IteratorResult<readonly object[]>,
  pages: AsyncGenerator<readonly object[]>,
): AsyncGenerator<readonly object[]> {
  if (first.done !== true) yield first.value;
  yield* pages;
}
