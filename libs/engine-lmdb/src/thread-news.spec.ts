import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#libs/testing';
import { shardKey } from './lmdb-streams.js';
import { ThreadNews } from './thread-news.js';

const READINGS = shardKey('readings', 0);

describe('ThreadNews', () => {
  let heard: [key: string, end: number][];
  let messages: number;
  let telling: ThreadNews;
  let listening: ThreadNews;

  beforeEach(() => {
    [heard, messages] = [[], 0];
    telling = new ThreadNews('thread-news.spec', () => undefined);
    listening = new ThreadNews('thread-news.spec', (ends) => {
      messages++;
      heard.push(...ends);
    });
    listening.listen('readings');
    listening.listen('alerts');
  });
  afterEach(() => {
    telling.close();
    listening.close();
  });

  it('tells of the streams that are listened to, and wakes nobody for others', async () => {
    telling.tell(
      new Map([
        [shardKey('uplink', 0), 1],
        [READINGS, 1],
      ]),
    );
    telling.tell(new Map([[shardKey('alerts', 1), 1]]));
    await waitUntil('the last one is heard', () => heard.length === 2);
    expect(heard).toEqual([
      [READINGS, 1],
      [shardKey('alerts', 1), 1],
    ]);
  });

  it('tells the first at once, and of many that follow the last', async () => {
    for (let end = 1; end <= 1_000; end++) telling.tell(new Map([[READINGS, end]]));
    await waitUntil('the last one is heard', () => heard.at(-1)?.[1] === 1_000);
    expect(heard[0]).toEqual([READINGS, 1]);
    expect(messages).toBeLessThan(100);
  });

  it('tells what waits before it ends', async () => {
    telling.tell(new Map([[READINGS, 1]]));
    telling.tell(new Map([[READINGS, 2]]));
    telling.flush();
    telling.close();
    await waitUntil('the last one is heard', () => heard.at(-1)?.[1] === 2);
  });
});
