import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort, startProcess, temporaryFolder, waitUntil } from './services.js';

export interface MosquittoFixture extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Debian's `mosquitto` on a free loopback port; anybody may connect. */
export async function startMosquitto(): Promise<MosquittoFixture> {
  const folder = temporaryFolder('mosquitto');
  const port = await freePort();
  const config = join(folder.path, 'mosquitto.conf');
  writeFileSync(
    config,
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n`,
  );
  const server = startProcess('mosquitto', ['-c', config]);
  await waitUntil('mosquitto accepts connections', async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    return true;
  });
  return {
    port,
    pid: server.process.pid ?? 0,
    async [Symbol.asyncDispose]() {
      await server.stop('SIGKILL');
      folder[Symbol.dispose]();
    },
  };
}
