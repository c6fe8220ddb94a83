import { temporaryFolder } from '#libs/testing';
import { fastify } from 'fastify';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib';
import { withoutPublicPath } from '../http/browser/security-headers.js';
import { readPageFiles } from './page-files.js';
import { servePage } from './serve-page.js';

const INDEX = `<link href="./assets/a-1.css"><script type="module" src="./assets/a-1.js"></script>`;
const SCRIPT = 'console.log(1);'.repeat(100);

interface Answer {
  readonly statusCode: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawPayload: Buffer;
  readonly body: string;
}

/** A server of a page that was built, under a public path. */
async function serving(path: string, hasPage = true) {
  using folder = temporaryFolder('page');
  const assets = join(folder.path, 'assets');
  mkdirSync(assets);
  if (hasPage) writeFileSync(join(folder.path, 'index.html'), INDEX);
  writeFileSync(join(assets, 'a-1.js'), SCRIPT);
  writeFileSync(join(assets, 'a-1.js.br'), brotliCompressSync(SCRIPT));
  writeFileSync(join(assets, 'a-1.js.gz'), gzipSync(SCRIPT));
  writeFileSync(join(assets, 'a-1.css'), 'p{}');
  writeFileSync(join(folder.path, 'secret.key'), 'no type that a page has');
  const address = path === '' ? undefined : { origin: 'http://x', path };
  const app = fastify({ rewriteUrl: ({ url = '/' }) => withoutPublicPath(url, address) });
  app.setNotFoundHandler((_request, reply) => reply.status(404).send({ status: 404 }));
  app.get('/api/v1/known', () => ({}));
  servePage(app, await readPageFiles(folder.path, path));
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return {
    /** As it goes over the wire: neither the path nor the content is changed by a client. */
    async ask({ url, headers = {} }: { url: string; headers?: Record<string, string> }): Promise<Answer> {
      const asked = get({ port, host: '127.0.0.1', path: url, headers, agent: false });
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      const rawPayload = await buffer(answer);
      return {
        statusCode: answer.statusCode,
        headers: answer.headers,
        rawPayload,
        body: rawPayload.toString(),
      };
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}
const HTML = { accept: 'text/html,application/xhtml+xml' };

describe('the page', () => {
  it.each(['', '/pantau'])('is served below "%s", with assets that are kept for ever', async (path) => {
    await using app = await serving(path);
    const index = await app.ask({ url: `${path}/` });
    expect(index.body).toBe(INDEX.replaceAll('./', `${path}/`));
    expect(index.headers).toMatchObject({ 'cache-control': 'no-cache', vary: 'accept-encoding' });
    const [, script] = /src="([^"]+)"/.exec(index.body)!;
    const asset = await app.ask({ url: script!, headers: { 'accept-encoding': 'gzip, br;q=0.9' } });
    expect(asset.headers).toMatchObject({
      'content-encoding': 'br',
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    });
    expect(brotliDecompressSync(asset.rawPayload).toString()).toBe(SCRIPT);
    for (const [accepted, encoding] of [
      ['gzip', 'gzip'],
      ['br;q=0, gzip;q=0.0', undefined],
      ['', undefined],
    ] as const) {
      const { headers } = await app.ask({ url: script!, headers: { 'accept-encoding': accepted } });
      expect([accepted, headers['content-encoding']]).toEqual([accepted, encoding]);
    }
  });

  it('is what every address of a browser shows, and is not sent again while it is the same', async () => {
    await using app = await serving('');
    for (const url of ['/perangkat/udara-01?dari=x', '/link', '/apis']) {
      const answer = await app.ask({ url, headers: HTML });
      expect([url, answer.statusCode, answer.body]).toEqual([url, 200, INDEX.replaceAll('./', '/')]);
      const headers = { ...HTML, 'if-none-match': String(answer.headers['etag']) };
      expect((await app.ask({ url, headers })).statusCode).toBe(304);
    }
  });

  it.each([
    ['an unknown route of the API', '/api/v1/none', HTML],
    ['an asset of an earlier version', '/assets/a-0.js', { accept: '*/*' }],
    ['what a program asks for', '/none', { accept: 'application/json' }],
    ['a file that is none of the page', '/secret.key', { accept: '*/*' }],
    ['a path out of it', '/..%2f..%2fpackage.json', { accept: '*/*' }],
    ['a path that is none', '/%', HTML],
  ])('is not %s', async (_what, url, headers) => {
    await using app = await serving('');
    expect((await app.ask({ url, headers })).statusCode).toBe(url === '/%' ? 400 : 404);
  });

  it('is not there where it was not built, and the API is', async () => {
    await using app = await serving('', false);
    expect((await app.ask({ url: '/', headers: HTML })).statusCode).toBe(404);
    expect((await app.ask({ url: '/api/v1/known' })).statusCode).toBe(200);
  });
});
