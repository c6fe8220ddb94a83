import fc, { type Arbitrary } from 'fast-check';
import { Agent, request as httpRequest } from 'node:http';
import type { Values } from './fuzz-values.fixture.js';
import { forgedCursor, hostileBody, hostileText, spoilt, type Schema } from './fuzz-values.fixture.js';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: Schema;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
export interface FuzzedDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

export interface FuzzedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Who asks, by name. */
  readonly holder: string;
}

/** How far a request is from one that fits. */
type Shape = 'fitting' | 'spoilt' | 'hostile';
const shape: Arbitrary<Shape> = fc.constantFrom('fitting', 'fitting', 'spoilt', 'spoilt', 'hostile');

const encoded = (text: string): string => encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
/** What a header field may hold. */
const headerText = (text: string): string => text.replace(/[^\x20-\x7e\xa1-\xff]/g, '~').slice(0, 4_000);

/** Requests for an operation of the document. @param holders - who may ask, more often those that stand there more often */
export function requestsFor(
  values: Values,
  template: string,
  method: string,
  { parameters = [], requestBody }: Operation,
  holders: readonly string[],
): Arbitrary<FuzzedRequest> {
  return fc
    .tuple(fc.constantFrom(...holders), shape)
    .chain(([holder, how]) =>
      fc.record({
        method: fc.constantFrom(
          ...(method === 'get' ? ['GET', 'GET', 'GET', 'HEAD'] : [method.toUpperCase()]),
        ),
        path: pathOf(values, template, parameters, how),
        query: queryOf(values, parameters, how),
        headers: headersOf(parameters, how),
        content: contentOf(values, requestBody, how),
        holder: fc.constant(holder),
      }),
    )
    .map(({ headers, content, ...rest }) => {
      const { type, body } = content ?? {};
      const known = type === undefined ? {} : { 'content-type': type };
      return { ...rest, headers: { ...headers, ...known }, ...(body === undefined ? {} : { body }) };
    });
}

function valueOf(values: Values, { name, schema = {} }: Parameter, how: Shape): Arbitrary<string> {
  const fitting = values.fitting(schema, name).map((value) => String(value));
  const hostile = name === 'after' ? fc.oneof(hostileText, forgedCursor) : hostileText;
  if (how === 'fitting') return fitting;
  return how === 'hostile'
    ? hostile
    : fc.oneof({ weight: 3, arbitrary: fitting }, { weight: 1, arbitrary: hostile });
}

function pathOf(
  values: Values,
  template: string,
  parameters: readonly Parameter[],
  how: Shape,
): Arbitrary<string> {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const ofNames = names.map((name) =>
    valueOf(
      values,
      parameters.find((one) => one.name === name && one.in === 'path') ?? { name, in: 'path' },
      how,
    )
      .map((text) => (text === '' ? '%20' : encoded(text)))
      // What a client cannot encode.
      .chain((text) =>
        how === 'hostile'
          ? fc.constantFrom(text, text, text, '%zz', '%', '%C0%80', '..', ';', '*')
          : fc.constant(text),
      ),
  );
  return fc.tuple(...ofNames).map((texts) => {
    const left = [...texts];
    return template.replace(/\{\w+\}/g, () => left.shift()!);
  });
}

function queryOf(values: Values, parameters: readonly Parameter[], how: Shape): Arbitrary<string> {
  const inQuery = parameters.filter((one) => one.in === 'query');
  const ofParameters = inQuery.map((one) =>
    fc
      .tuple(fc.nat(9), valueOf(values, one, how))
      .map(([odds, value]) =>
        odds < (one.required === true ? (how === 'fitting' ? 10 : 9) : 4)
          ? [`${one.name}=${encoded(value)}`]
          : [],
      ),
  );
  const stray =
    how === 'fitting'
      ? fc.constant<string[]>([])
      : fc.array(
          fc.oneof(
            fc.tuple(hostileText, hostileText).map(([name, value]) => `${encoded(name)}=${encoded(value)}`),
            fc.constantFrom(
              'limit=1&limit=2',
              'site[]=betung',
              'device[a]=1',
              '__proto__=1',
              '%zz=%',
              '&&=',
              'limit',
            ),
          ),
          { maxLength: 1 },
        );
  return fc.tuple(stray, ...ofParameters).map((parts) => parts.flat().join('&'));
}

function headersOf(parameters: readonly Parameter[], how: Shape): Arbitrary<Record<string, string>> {
  if (how === 'fitting') return fc.constant({});
  const described = parameters.filter((one) => one.in === 'header').map(({ name }) => name.toLowerCase());
  const text = hostileText.map(headerText);
  const present = fc.record(
    Object.fromEntries(
      ['accept-language', 'accept', 'range', 'x-forwarded-for', ...described].map((name) => [
        name,
        fc.oneof(text, fc.constantFrom('*', 'id', '"x"', '1')),
      ]),
    ),
    { requiredKeys: [] },
  );
  return present.map((headers) => headers as Record<string, string>);
}

interface Content {
  readonly type: string;
  readonly body: string | Buffer;
}

function contentOf(
  values: Values,
  requestBody: Operation['requestBody'],
  how: Shape,
): Arbitrary<Content | undefined> {
  if (requestBody === undefined)
    return how === 'hostile'
      ? fc.option(
          hostileBody.map((body) => ({ type: 'application/json', body })),
          { nil: undefined },
        )
      : fc.constant(undefined);
  const [[type, { schema }]] = Object.entries(requestBody.content) as [[string, { schema: Schema }]];
  if (type !== 'application/json') {
    const text = fc.constantFrom(
      'time,pm25\n2026-01-01T00:00:00Z,12.5\n',
      'a;b\n1;2',
      '{"ts":1,"values":{"pm25":1}}',
    );
    return fc
      .oneof(text, hostileBody)
      .map((body) => ({ type: type === '*/*' ? 'application/json' : type, body }));
  }
  const fitting = values.fitting(schema, '');
  const asJson = (value: unknown): Content => ({ type, body: JSON.stringify(value) });
  if (how === 'fitting') return fitting.map(asJson);
  if (how === 'spoilt') return fitting.chain(spoilt).map(asJson);
  const otherTypes = fc.constantFrom(
    type,
    type,
    type,
    'text/plain',
    'application/json; charset=utf-16',
    'x',
    'text/csv',
  );
  return fc.tuple(hostileBody, otherTypes).map(([body, other]) => ({ type: other, body }));
}

export interface FuzzedAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const ANSWER_WITHIN_MS = 30_000;

/** Sends requests as they are: no client library corrects them. */
export class Sender {
  readonly #agent = new Agent({ keepAlive: true });

  constructor(private readonly origin: string) {}

  async send(
    { method, path, query, headers, body }: FuzzedRequest,
    credentials: Readonly<Record<string, string>>,
  ): Promise<FuzzedAnswer> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(this.origin);
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const request = httpRequest({
        ...{ agent: this.#agent, hostname, port, method, path: query === '' ? path : `${path}?${query}` },
        headers: { ...headers, ...credentials, ...length },
        timeout: ANSWER_WITHIN_MS,
      });
      request.on('timeout', () => request.destroy(new Error('no answer')));
      request.on('error', reject);
      request.on('response', (response) => {
        const { statusCode: status = 0 } = response;
        const type = response.headers['content-type'] ?? '';
        const chunks: Buffer[] = [];
        const done = (): void => resolve({ status, type, body: Buffer.concat(chunks).toString() });
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', done);
        response.on('error', reject);
        // It has no end.
        if (type.startsWith('text/event-stream')) {
          response.removeAllListeners('error').on('error', () => undefined);
          done();
          response.destroy();
        }
      });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
