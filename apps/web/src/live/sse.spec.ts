import { EventReader } from './sse';

const STREAM =
  'retry: 2000\n\nid: r:1\nevent: start\ndata: {"topics":[]}\n\nid: r:2\nevent: readings\ndata: {"a":\ndata: "b: c"}\n\nid: r:3\n\n';

describe('a stream of events', () => {
  it('is read the same however it is cut', () => {
    const whole = new EventReader().read(STREAM);
    expect(whole).toEqual([
      { id: 'r:1', type: 'start', data: '{"topics":[]}' },
      { id: 'r:2', type: 'readings', data: '{"a":\n"b: c"}' },
      { id: 'r:3', type: '', data: '' },
    ]);
    for (let size = 1; size < STREAM.length; size++) {
      const reader = new EventReader();
      const pieces = STREAM.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      expect(pieces.flatMap((piece) => reader.read(piece))).toEqual(whole);
    }
  });

  it('keeps no event for ever that has no end', () => {
    const reader = new EventReader();
    expect(() => {
      for (;;) reader.read('data: '.repeat(100_000));
    }).toThrow('without an end');
  });
});
