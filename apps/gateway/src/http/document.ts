import { defined } from '#libs/kernel';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { describeTables } from '../tables/describe-tables.js';
import { describeUplinkRoutes } from '../uplinks/describe-uplinks.js';
import { problem } from './answer.js';
import { SESSION_COOKIE, type PublicAddress } from './cookie.js';
import { openApiSchema } from './openapi.js';

/** The document of the whole API (OpenAPI 3.1). @param address - where it is seen, if that differs from where it listens */
export function apiDocument(app: INestApplication, address?: PublicAddress): OpenAPIObject {
  const description = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Pantau')
    .setDescription('Pemantauan kualitas udara dan CCTV / Monitoring of air quality and CCTV')
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth()
    .addCookieAuth(SESSION_COOKIE, {
      type: 'apiKey',
      in: 'cookie',
      description: 'Of `POST /api/v1/session`. A change also needs its `csrfToken` as header `X-CSRF-Token`.',
    });
  if (address !== undefined && address.path !== '') description.addServer(address.path);
  const document = describeUplinkRoutes(SwaggerModule.createDocument(app, description.build()));
  describeExchange(document);
  describeTables(document);
  describeProblems(document);
  return withComponents(document);
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

function operationsOf(document: OpenAPIObject): (readonly [(typeof METHODS)[number], Operation])[] {
  return Object.values(document.paths).flatMap((path) =>
    METHODS.flatMap((method) => (path[method] === undefined ? [] : [[method, path[method]] as const])),
  );
}

/** What is the same for every route: answers that are read again, requests that are sent again. */
function describeExchange(document: OpenAPIObject): void {
  const header = (name: string, description: string) => ({
    name,
    in: 'header' as const,
    required: false,
    description,
    schema: { type: 'string' as const },
  });
  for (const [path, { get, post }] of Object.entries(document.paths)) {
    if (get !== undefined && get.responses['200'] !== undefined && path !== '/api/v1/live') {
      get.parameters = [...(get.parameters ?? []), header('If-None-Match', 'ETag of an earlier answer')];
      get.responses['304'] = { description: 'Tidak berubah / Not modified' };
    }
    if (post?.security === undefined || path.startsWith('/api/v1/uplinks')) continue;
    const key = header(
      'Idempotency-Key',
      'Yang dikirim ulang dikerjakan sekali saja / Sent again, it is done once',
    );
    post.parameters = [...(post.parameters ?? []), key];
    post.responses[409] ??= problemResponse(409);
    post.responses[422] ??= problemResponse(422);
  }
}

function problemResponse(status: number) {
  return {
    description: PROBLEMS[status] ?? '',
    content: { 'application/problem+json': { schema: openApiSchema(problem, 'output') } },
  };
}

/** What names a thing that may be unknown, in a path or a query. */
const NAMES = new Set(['device', 'site', 'indicator', 'sender']);

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'Permintaan tidak sah; `errors` menyebut anggotanya / The request is at fault; `errors` names the member',
  401: 'Perlu masuk atau token / Sign in, or send a token',
  403: 'Tidak diizinkan / Not allowed',
  404: 'Yang disebut tidak dikenal / What it names is not known',
  408: 'Permintaan tidak selesai pada waktunya / The request was not complete in time',
  409: 'Bertentangan dengan keadaan sekarang / In conflict with what is there',
  413: 'Isi terlalu besar / The body is too large',
  414: 'Nama di alamat terlalu panjang / A name in the path is too long',
  415: 'Jenis isi tidak didukung / Unsupported media type',
  422: 'Kunci sudah dipakai untuk permintaan lain / The key was used for another request',
  429: 'Terlalu sering; lihat Retry-After / Too often; see Retry-After',
  500: 'Kesalahan di dalam Pantau / A fault of Pantau',
  503: 'Sementara tidak tersedia / Not available now; try again',
};

/** Whatever a route answers beside what it is asked for: what its parameters, its body and its security lead to. */
function describeProblems(document: OpenAPIObject): void {
  for (const [method, operation] of operationsOf(document)) {
    const names = (operation.parameters ?? []).filter(
      (one) => 'in' in one && (one.in === 'path' || NAMES.has(one.name)),
    );
    const statuses = [
      ...[400, 429, 500, 503],
      ...(operation.security === undefined ? [] : [401, 403]),
      ...(names.length > 0 ? [404] : []),
      ...(names.some((one) => 'in' in one && one.in === 'path') ? [414] : []),
      // A body may come to whatever is no question, be it asked for or not.
      ...(method === 'get' ? [] : [408, 413, 415]),
      // What sends a browser on has found somebody, and a place to send to.
      ...(operation.responses[302] === undefined ? [] : [401, 404]),
      ...(operation.requestBody === undefined ? [] : [401, 403, 404, 409]),
    ];
    for (const status of statuses) operation.responses[status] ??= problemResponse(status);
  }
}

/** Brings what has a name among the components, once. */
function withComponents(document: OpenAPIObject): OpenAPIObject {
  const schemas: Record<string, unknown> = { ...document.components?.schemas };
  const hoisted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(hoisted);
    if (typeof value !== 'object' || value === null) return value;
    const { $defs, ...rest } = value as { $defs?: Readonly<Record<string, unknown>> };
    for (const [name, schema] of Object.entries($defs ?? {})) schemas[name] ??= hoisted(schema);
    return withMembersApart(
      Object.fromEntries(
        Object.entries(rest).map(([name, member]) => [
          name,
          name === '$ref' && typeof member === 'string'
            ? member.replace('#/$defs/', '#/components/schemas/')
            : hoisted(member),
        ]),
      ),
    );
  };
  const { components, ...rest } = hoisted(document) as OpenAPIObject;
  return { ...rest, components: { ...components, schemas } } as OpenAPIObject;
}

/**
 * An object with some members that are known and others of any name, as both at once: generators that write it as one TypeScript type
 * make the optional ones contradict the others.
 */
function withMembersApart(schema: Readonly<Record<string, unknown>>): object {
  const { type, properties, required, additionalProperties, ...rest } = schema;
  if (type !== 'object' || typeof properties !== 'object' || typeof additionalProperties !== 'object')
    return schema;
  return {
    ...rest,
    allOf: [
      { type, properties, ...defined({ required }) },
      { type, additionalProperties },
    ],
  };
}
