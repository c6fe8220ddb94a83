import { startMetricsServer } from './metrics-server.js';

describe('the metrics server', () => {
  it('says which methods it takes, where it has nothing, and that metrics cannot be had', async () => {
    let fail = false;
    const server = (await startMetricsServer({ host: '127.0.0.1', port: 0 }, () =>
      fail ? Promise.reject(new Error('a stage is gone')) : Promise.resolve('pantau_up 1\n'),
    ))!;
    const ask = async (path: string, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      return { status: response.status, allow: response.headers.get('allow'), body: await response.text() };
    };
    try {
      expect(await ask('/metrics?x=1')).toEqual({ status: 200, allow: null, body: 'pantau_up 1\n' });
      expect(await ask('/metrics', 'HEAD')).toEqual({ status: 200, allow: null, body: '' });
      expect(await ask('/metrics', 'POST')).toMatchObject({ status: 405, allow: 'GET, HEAD' });
      expect(await ask('/')).toMatchObject({
        status: 404,
        body: expect.stringContaining('/metrics') as string,
      });
      fail = true;
      expect(await ask('/metrics')).toMatchObject({
        status: 503,
        body: expect.stringContaining('a stage is gone') as string,
      });
    } finally {
      await server.close();
    }
  });

  it('refuses a port that is taken by name', async () => {
    const server = (await startMetricsServer({ host: '127.0.0.1', port: 0 }, () => Promise.resolve('')))!;
    try {
      await expect(
        startMetricsServer({ host: '127.0.0.1', port: server.port }, () => Promise.resolve('')),
      ).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    } finally {
      await server.close();
    }
  });
});
