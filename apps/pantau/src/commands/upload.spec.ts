import { sendProblem } from '#libs/http';
import { PantauError } from '#libs/kernel';
import { temporaryFolder } from '#libs/testing';
import { Command } from 'commander';
import { fastify } from 'fastify';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addUploadCommand } from './upload.js';

describe('upload', () => {
  it('says that nobody takes uplinks in, where the API says so', async () => {
    using folder = temporaryFolder('upload');
    const [csv, credentials] = [join(folder.path, 'a.csv'), join(folder.path, 'credentials.json')];
    writeFileSync(csv, 'ts,pm25\n');
    writeFileSync(credentials, JSON.stringify({ 'udara-01': 'secret' }));
    const api = fastify();
    api.removeAllContentTypeParsers();
    api.addContentTypeParser('*', (_request, _body, done) => done(null));
    const away = new PantauError('INTAKE_UNAVAILABLE', 'uplinks are not taken in now.', { transient: true });
    api.post('/api/v1/uplinks/:device/batch', (request, reply) => {
      sendProblem(away, request, reply, 'Basic');
      return reply;
    });
    const url = await api.listen({ host: '127.0.0.1', port: 0 });
    const program = new Command();
    addUploadCommand(program, { config: () => ({ http: {} }) as never, print: () => {} });
    const sent = program.parseAsync(
      ['upload', csv, '--device', 'udara-01', '--credentials', credentials, '--url', url],
      { from: 'user' },
    );
    await expect(sent).rejects.toMatchObject({
      code: 'INTAKE_UNAVAILABLE',
      remedy: expect.stringContaining('http-intake'),
    });
    await api.close();
  });
});
