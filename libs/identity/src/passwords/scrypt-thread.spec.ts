import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { ScryptThread } from './scrypt-thread.js';

// RFC 7914, chapter 12, third test vector.
const VECTOR = {
  password: 'pleaseletmein',
  salt: Buffer.from('SodiumChloride'),
  bytes: 64,
  cost: 16_384,
  blockSize: 8,
  parallelization: 1,
};
const HASH =
  '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
  'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';

describe('ScryptThread', () => {
  it('computes scrypt as the RFC does', async () => {
    expect((await new ScryptThread().derive(VECTOR)).toString('hex')).toBe(HASH);
  });

  it('fails a request that cannot be computed and goes on with the next', async () => {
    const thread = new ScryptThread();
    await expect(thread.derive({ ...VECTOR, cost: 3 })).rejects.toThrow();
    expect((await thread.derive(VECTOR)).toString('hex')).toBe(HASH);
  });

  // Elsewhere threads have no priority of their own.
  (process.platform === 'linux' ? it : it.skip)('yields to the other threads, and alone', async () => {
    const before = getPriority();
    await new ScryptThread().derive(VECTOR);
    expect(getPriority()).toBe(before);
    const priorities = readdirSync('/proc/self/task').map((id) => priorityOf(id));
    expect(priorities).toContain(5);
    expect(priorities.some((priority) => priority < 5)).toBe(true);
  });
});

/** The 19th field; the second, a name in brackets, may hold spaces. */
function priorityOf(thread: string): number {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
}
