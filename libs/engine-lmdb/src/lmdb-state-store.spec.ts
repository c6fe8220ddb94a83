import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '#libs/testing';
import { LmdbStateStore } from './lmdb-state-store.js';
import { describeStateStoreContract } from '#contracts/state';

describeStateStoreContract('LMDB', async () => {
  const folder = temporaryFolder('state');
  let store = LmdbStateStore.open(folder.path);
  return {
    store,
    async reopen() {
      await store.close();
      store = LmdbStateStore.open(folder.path);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
});

describe('LmdbStateStore', () => {
  it('says which folder it cannot open', () => {
    using folder = temporaryFolder('state');
    const file = join(folder.path, 'a-file');
    writeFileSync(file, '');
    expect(() => LmdbStateStore.open(join(file, 'data'))).toThrow(
      /DATA_DIR_UNUSABLE: cannot open .*a-file\/data/,
    );
  });

  it.each(['/proc/none/data', '/proc/none', '/dev/null/data'])('ends with an error at %s', (folder) => {
    expect(() => LmdbStateStore.open(folder)).toThrow(/DATA_DIR_UNUSABLE/);
  });
});
