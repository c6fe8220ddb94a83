import { DiskSpace, type DiskUsage } from './disk-space.js';

const MB = 1_000_000;

/** A disk and a time that the test moves. */
function openSpace(minFree?: number): {
  space: DiskSpace;
  disk: { -readonly [K in keyof DiskUsage]: DiskUsage[K] } & { looks: number; isMute: boolean };
  time: { now: number };
} {
  const disk = { freeBytes: 100 * MB, reusableBytes: 0, totalBytes: 1_000 * MB, looks: 0, isMute: false };
  const time = { now: 0 };
  const space = new DiskSpace({
    minFree,
    elapsed: () => time.now,
    measure: async () => {
      disk.looks++;
      if (disk.isMute) throw new Error('not supported');
      return { ...disk };
    },
  });
  return { space, disk, time };
}

describe('DiskSpace', () => {
  it('looks at most once a second, however many appends there are, and not at all without any', async () => {
    const { space, disk, time } = openSpace(50 * MB);
    await space.look();
    for (let i = 0; i < 1_000; i++) expect(space.accepts()).toBe(true);
    expect(disk.looks).toBe(1);
    time.now = 3_600_000;
    expect(disk.looks).toBe(1);
    for (let i = 0; i < 1_000; i++) space.accepts();
    expect(disk.looks).toBe(2);
  });

  it('does not wait for the next look when what was handed in reaches the reserve', async () => {
    const { space } = openSpace(50 * MB);
    await space.look();
    space.handIn(50 * MB);
    expect(space.accepts()).toBe(true);
    space.handIn(1);
    expect(space.accepts()).toBe(false);
  });

  it('takes off only what the look cannot have seen', async () => {
    const { space } = openSpace(50 * MB);
    space.handIn(30 * MB);
    const looking = space.look();
    space.handIn(10 * MB);
    await looking;
    expect(await space.report()).toEqual({
      freeBytes: 90 * MB,
      minFreeBytes: 50 * MB,
      accepting: true,
    });
  });

  it('resumes only with a tenth more than the reserve', async () => {
    const { space, disk } = openSpace(50 * MB);
    for (const [freeMb, accepts] of [
      [50, true],
      [49, false],
      [54, false],
      [56, true],
      [50, true],
    ] as const) {
      disk.freeBytes = freeMb * MB;
      await space.look();
      expect([freeMb, space.accepts()]).toEqual([freeMb, accepts]);
    }
  });

  it.each([
    [1_000 * MB, 100 * MB],
    [100_000 * MB, 512 * 1024 * 1024],
  ])('of %p bytes keeps %p by default', async (totalBytes, minFreeBytes) => {
    const { space, disk } = openSpace();
    disk.totalBytes = totalBytes;
    await space.look();
    expect(await space.report()).toMatchObject({ minFreeBytes });
  });

  it('after a refusal of the disk waits for more than there was then, or for any write that went through', async () => {
    const { space, disk, time } = openSpace(0);
    disk.freeBytes = 0;
    expect(await space.failed(28)).toBe(true);
    expect(space.accepts()).toBe(false);
    disk.freeBytes = 1;
    time.now += 1_000;
    expect(await space.report()).toMatchObject({ accepting: true });
    expect(await space.failed(28)).toBe(true);
    expect(space.accepts()).toBe(false);
    space.written();
    expect(space.accepts()).toBe(true);
  });

  it('tells a write that fitted in part from a disk that is ill', async () => {
    const { space, disk } = openSpace(0);
    disk.freeBytes = 4_096;
    expect(await space.failed(5)).toBe(true);
    expect(await space.failed(-30_782)).toBe(true);
    disk.freeBytes = 100 * MB;
    expect(await space.failed(5)).toBe(false);
    expect(await space.failed(-30_782)).toBe(false);
    expect(await space.failed(undefined)).toBe(false);
  });

  it('accepts when the file system does not tell; the disk itself then has the last word', async () => {
    const { space, disk } = openSpace();
    disk.isMute = true;
    await space.look();
    expect(space.accepts()).toBe(true);
    expect(await space.failed(28)).toBe(true);
    expect(space.accepts()).toBe(true);
  });
});
