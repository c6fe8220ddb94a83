import { MINUTE } from '#libs/kernel';
import { connectionSpans, type ConnectionChange, type ConnectionEvent } from './connection-spans.js';
import type { Spans } from './spans.js';

const at = (minute: number, event: ConnectionEvent, session = 'a', run = 'first'): ConnectionChange => ({
  ...{ ts: minute * MINUTE, event, session, run },
  silenceMs: 3 * MINUTE,
});
const up = (from: number, to: number) => ({ from: from * MINUTE, to: to * MINUTE });
const RUNS: ReadonlyMap<string, Spans> = new Map([
  ['first', [up(0, 60)]],
  ['second', [up(70, 120)]],
]);

/** In minutes. */
function spansOf(changes: readonly ConnectionChange[], window = up(0, 120)) {
  const found = connectionSpans({ window, changes, runs: RUNS });
  return Object.fromEntries(
    Object.entries(found).map(([state, spans]) => [
      state,
      spans.map(({ from, to }) => [from / MINUTE, to / MINUTE]),
    ]),
  );
}

describe('the connections of a device over time', () => {
  it('are known from the first change on, within the window', () => {
    expect(spansOf([])).toEqual({ connected: [], lost: [], left: [] });
    const changes = [at(10, 'connected'), at(20, 'lost'), at(30, 'connected', 'b'), at(40, 'left', 'b')];
    expect(spansOf(changes, up(0, 50))).toEqual({
      connected: [
        [10, 20],
        [30, 40],
      ],
      lost: [[20, 30]],
      left: [[40, 50]],
    });
    expect(spansOf(changes, up(15, 25))).toEqual({ connected: [[15, 20]], lost: [[20, 25]], left: [] });
  });

  it('broke when the last was heard, where nothing came for longer than they survive', () => {
    expect(spansOf([at(10, 'connected'), at(20, 'expired')], up(0, 30))).toEqual({
      ...{ connected: [[10, 17]], lost: [[17, 30]], left: [] },
    });
    expect(spansOf([at(10, 'connected'), at(11, 'expired')], up(0, 30))).toMatchObject({ lost: [[10, 30]] });
  });

  it('are not ended by the end of an earlier one', () => {
    const changes = [at(10, 'connected'), at(20, 'connected', 'b'), at(21, 'lost', 'a')];
    expect(spansOf(changes, up(0, 30))).toEqual({ connected: [[10, 30]], lost: [], left: [] });
  });

  it.each([
    ['stops', [at(10, 'connected'), at(59, 'stopped')], 59],
    ['dies', [at(10, 'connected')], 60],
  ])('are unknown when the broker %s, until the device has had the time to return', (_how, changes, end) => {
    expect(spansOf(changes)).toEqual({ connected: [[10, end]], lost: [[73, 120]], left: [] });
    const back = [...changes, at(72, 'connected', 'b', 'second')];
    expect(spansOf(back)).toEqual({
      ...{ lost: [], left: [] },
      connected: [
        [10, end],
        [72, 120],
      ],
    });
  });
});
