import { temporaryFolder } from '#libs/testing';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { localSocket } from './local-socket.js';

describe('localSocket', () => {
  it.each([1, 200])(
    'is a path on which to listen and to connect, in a folder of a name of %s characters',
    async (length) => {
      using folder = temporaryFolder('socket');
      const data = join(folder.path, 'd'.repeat(length));
      mkdirSync(data);
      const path = localSocket(data, 'spec');
      expect(localSocket(data, 'spec')).toBe(path);
      const server = createServer((socket) => void socket.end('here')).listen(path);
      await once(server, 'listening');
      const [said] = (await once(connect(path).setEncoding('utf8'), 'data')) as [string];
      expect(said).toBe('here');
      server.close();
      await once(server, 'close');
    },
  );
});
