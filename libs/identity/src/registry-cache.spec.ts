import { LmdbStateStore } from '#libs/engine-lmdb';
import { temporaryFolder } from '#libs/testing';
import { RegistryCache } from './registry-cache.js';
import { Registry } from './registry.js';

it('makes its value once for each state of the registry', async () => {
  using folder = temporaryFolder('registry-cache');
  const state = LmdbStateStore.open(folder.path);
  const registry = new Registry(state);
  const cache = new RegistryCache(registry, async () => (await registry.sites()).map(({ id }) => id));
  const empty = await cache.current();
  expect(empty).toEqual([]);
  expect(await cache.current()).toBe(empty);
  await registry.putSite({ id: 'betung', name: 'Betung' });
  const one = await cache.current();
  expect(one).toEqual(['betung']);
  // Also when another process has changed it, and what was made before keeps what it holds.
  await new Registry(state).putSite({ id: 'lalan', name: 'Lalan' });
  expect(await cache.current()).toEqual(['betung', 'lalan']);
  expect(one).toEqual(['betung']);
  await state.close();
});

it('makes its value again after it could not be made', async () => {
  let failures = 0;
  const cache = new RegistryCache({ revision: async () => 'same' }, () => {
    if (++failures === 1) throw new Error('away');
    return 'made';
  });
  await expect(cache.current()).rejects.toThrow('away');
  expect(await cache.current()).toBe('made');
});
