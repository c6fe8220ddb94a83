import { pathOf, refsOf } from './refs';

describe('what an entry of the journal names', () => {
  it.each([
    [{ device: 'u', uplink: { shard: 3, offset: 7 } }, ['/journal/uplink/3/7']],
    [{ source: { stream: 'readings', shard: 0, offset: 0 } }, ['/journal/readings/0/0']],
    [
      { a: [{ uplink: { shard: 1, offset: 2 } }, { uplink: { shard: 1, offset: 2 } }] },
      ['/journal/uplink/1/2'],
    ],
    [{ shard: 1, offset: 2 }, []],
    [{ uplink: { shard: '1', offset: 2 } }, []],
    [null, []],
  ])('%j: %j', (data, paths) => {
    expect(refsOf(data).map(pathOf)).toEqual(paths);
  });
});
