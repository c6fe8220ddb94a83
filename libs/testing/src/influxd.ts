import { writeConfiguration } from './server-configuration.js';
import { freePort } from './ports.js';
import { startProcess, temporaryFolder, waitUntil, type ServerProcess } from './services.js';

export interface InfluxFixture extends AsyncDisposable {
  readonly url: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
}

/**
 * Debian's `influxd` (1.x) on free loopback ports, with its data in a temporary folder. With `auth` it answers nobody
 * but the users in it; the first statement has to create an administrator. `coordinator` is that section of its configuration.
 */
export async function startInfluxd({ auth = false, coordinator = '' } = {}): Promise<InfluxFixture> {
  const folder = temporaryFolder('influxd');
  const [port, rpcPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const values = { folder: folder.path, port, rpcPort, auth, coordinator };
  const config = writeConfiguration('influxdb.conf', folder.path, values);
  let server: ServerProcess;
  const start = async (): Promise<void> => {
    server = startProcess('influxd', ['-config', config]);
    await waitUntil('influxd answers', async () => (await fetch(`${url}/ping`)).ok).catch(
      async (error: unknown) => {
        await server.stop('SIGKILL');
        throw new Error(`influxd did not start:\n${server.output()}`, { cause: error });
      },
    );
  };
  await start();
  return {
    url,
    start,
    stop: (signal) => server.stop(signal),
    async [Symbol.asyncDispose]() {
      await server.stop('SIGKILL');
      folder[Symbol.dispose]();
    },
  };
}
