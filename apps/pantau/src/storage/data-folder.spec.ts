import { temporaryFolder } from '#libs/testing';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareDataFolder } from './data-folder.js';

describe('the data folder', () => {
  it.each([
    ['http-intake.sock', 0o700],
    ['foreign.txt', 0o755],
  ])('that holds %s beside the journal has the mode %i', (name, mode) => {
    using folder = temporaryFolder('data-folder');
    for (const file of ['journal', name]) writeFileSync(join(folder.path, file), '');
    chmodSync(folder.path, 0o755);
    prepareDataFolder(folder.path);
    expect(statSync(folder.path).mode & 0o777).toBe(mode);
  });
});
