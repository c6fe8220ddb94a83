import { fastify } from 'fastify';
import { answerConditionally, assertUnchanged, etagOf } from './conditional.js';

describe('answers that are read', () => {
  it('have an ETag, are not sent to whoever has them, and link to the next page', async () => {
    const server = fastify();
    answerConditionally(server);
    let items = [1];
    server.get('/api/v1/things', () => ({ items, next: 'abc' }));
    server.post('/api/v1/things', () => ({ items }));
    const url = '/api/v1/things?limit=1&after=x';
    const origin = await server.listen({ port: 0, host: '127.0.0.1' });
    const ask = async (headers = {}, method = 'GET') => {
      const response = await fetch(`${origin}${url}`, { method, headers });
      const [etag, link] = ['etag', 'link'].map((name) => response.headers.get(name));
      return { status: response.status, body: await response.text(), etag, link };
    };
    try {
      const first = await ask();
      const { etag } = first;
      expect(first).toMatchObject({ status: 200, link: '<?limit=1&after=abc>; rel="next"' });
      expect(etag).toMatch(/^"[\w-]{27}"$/);
      for (const seen of [etag, `W/${etag}`, `"x", ${etag}`, '*'])
        expect(await ask({ 'if-none-match': seen })).toMatchObject({ status: 304, body: '', etag });
      items = [2];
      const changed = await ask({ 'if-none-match': etag });
      expect([changed.status, JSON.parse(changed.body)]).toEqual([200, { items: [2], next: 'abc' }]);
      expect(await ask({}, 'POST')).toMatchObject({ status: 200, etag: null, link: null });
    } finally {
      await server.close();
    }
  });
});

describe('a change', () => {
  const current = { id: 'a', name: 'x' };
  const etag = etagOf(JSON.stringify(current));
  it('is made of what was seen alone', () => {
    const changes = (...args: Parameters<typeof assertUnchanged>) => {
      try {
        assertUnchanged(...args);
        return 'made';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(changes(current, {})).toBe('made');
    expect(changes(current, { ifMatch: etag })).toBe('made');
    expect(changes(current, { ifMatch: '*' })).toBe('made');
    expect(changes(undefined, { ifNoneMatch: '*' })).toBe('made');
    expect(changes({ ...current, name: 'y' }, { ifMatch: etag })).toBe('CHANGED_MEANWHILE');
    expect(changes(current, { ifMatch: `W/${etag}` })).toBe('CHANGED_MEANWHILE');
    expect(changes(undefined, { ifMatch: '*' })).toBe('CHANGED_MEANWHILE');
    expect(changes(current, { ifNoneMatch: '*' })).toBe('CHANGED_MEANWHILE');
  });
});
