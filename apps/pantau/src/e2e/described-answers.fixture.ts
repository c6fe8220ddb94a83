import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Answered {
  readonly content?: Readonly<Record<string, object>>;
}
type Paths = Readonly<
  Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Answered>> }>>>
>;
export interface ApiDescription {
  readonly paths: Paths;
  readonly components?: object;
}

/** Compares the answers of the API with its document. */
export class DescribedAnswers {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false });
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #templates: readonly { readonly template: string; readonly pattern: RegExp }[];

  constructor(private readonly document: ApiDescription) {
    this.#ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    for (const format of ['base64', 'binary', 'uri']) this.#ajv.addFormat(format, true);
    this.#ajv.addSchema(document, 'api');
    this.#templates = Object.keys(document.paths)
      .map((template) => ({ template, pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}/?$`) }))
      .sort((a, b) => a.template.split('{').length - b.template.split('{').length);
  }

  /** What is wrong with an answer; undefined for one that the document describes. */
  faultOf(
    method: string,
    path: string,
    { status, type, body }: { readonly status: number; readonly type: string; readonly body?: string },
  ): string | undefined {
    const asked = method.toLowerCase() === 'head' ? 'get' : method.toLowerCase();
    const template = this.#templates.find(({ pattern }) => pattern.test(path))?.template;
    const operation = template === undefined ? undefined : this.document.paths[template]?.[asked];
    const what = `${method} ${path} ${status} ${type}`;
    if (template === undefined || operation === undefined)
      return status === 404 || status === 405 ? undefined : `${what}: no such route in the document`;
    const response = operation.responses[String(status)];
    if (response === undefined) return `${what}: no such status in the document`;
    if (response.content === undefined)
      return body === undefined || body === '' ? undefined : `${what}: has a body`;
    const kind = type.split(';')[0] ?? '';
    if (response.content[kind] === undefined) return `${what}: no such content type in the document`;
    if (body === undefined || method === 'HEAD' || !kind.endsWith('json')) return undefined;
    const escaped = [template, asked, 'responses', String(status), 'content', kind, 'schema'].map((name) =>
      encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1')),
    );
    const validate = this.#validator(`api#/paths/${escaped.join('/')}`);
    if (validate(JSON.parse(body))) return undefined;
    return `${what}: ${this.#ajv.errorsText(validate.errors)} in ${body.slice(0, 300)}`;
  }

  #validator($ref: string): ValidateFunction {
    const known = this.#validators.get($ref);
    if (known !== undefined) return known;
    const made = this.#ajv.compile({ $ref });
    this.#validators.set($ref, made);
    return made;
  }
}
