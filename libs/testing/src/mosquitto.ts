import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { writeConfiguration } from './server-configuration.js';
import { freePort } from './ports.js';
import { startProcess, temporaryFolder, waitUntil } from './services.js';

export interface MosquittoFixture extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/**
 * Debian's `mosquitto` on a free loopback port; anybody may connect.
 *
 * @param user - the only one who may connect
 */
export async function startMosquitto(user?: {
  readonly name: string;
  readonly password: string;
}): Promise<MosquittoFixture> {
  const folder = temporaryFolder('mosquitto');
  const port = await freePort();
  const passwords = join(folder.path, 'passwords');
  // Started by root it would be another user, who cannot read the folder.
  const access =
    user === undefined
      ? 'allow_anonymous true'
      : `allow_anonymous false\npassword_file ${passwords}\nuser root`;
  if (user !== undefined) execFileSync('mosquitto_passwd', ['-b', '-c', passwords, user.name, user.password]);
  const config = writeConfiguration('mosquitto.conf', folder.path, { port, access });
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
