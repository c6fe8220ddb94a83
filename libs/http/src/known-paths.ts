import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Methods by path, to tell a wrong method from a wrong path. Made before there are routes. */
export class KnownPaths {
  readonly #paths = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  constructor(fastify: FastifyInstance) {
    fastify.addHook('onRoute', ({ url, method }) => {
      if (url.includes('*')) return;
      const pattern = new RegExp(`^${url.replace(/:[^/]+/g, '[^/]+')}/?$`);
      const known = this.#paths.get(url) ?? { pattern, methods: new Set() };
      for (const one of [method].flat()) known.methods.add(one);
      this.#paths.set(url, known);
    });
  }

  /** The methods of the path when the request has another one; undefined when it is the path that is unknown. */
  allowed({ url, method }: Pick<FastifyRequest, 'url' | 'method'>): string | undefined {
    const path = url.split('?')[0] ?? '';
    const methods = [...this.#paths.values()]
      .filter(({ pattern }) => pattern.test(path))
      .flatMap((known) => [...known.methods]);
    if (methods.length === 0 || methods.includes(method)) return undefined;
    return [...new Set(methods)].sort().join(', ');
  }
}
