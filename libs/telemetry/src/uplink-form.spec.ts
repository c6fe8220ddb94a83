import { decodeEntries, EntryBlock } from '#libs/engine-lmdb';
import fc from 'fast-check';
import type { Uplink } from './streams.js';
import { UPLINK_FORM } from './uplink-form.js';

const UPLINK: Uplink = {
  site: 's',
  device: 'd',
  kind: 'telemetry',
  topic: 't',
  payload: Buffer.from('{}'),
  receivedAt: 1_790_000_000_000,
  qos: 0,
  messageId: undefined,
  dup: false,
  session: 'c',
  will: true,
};

const text = fc.string({ unit: 'grapheme' });
const uplink = fc.record(
  {
    site: text,
    device: text,
    kind: fc.constantFrom<Uplink['kind'][]>('telemetry', 'heartbeat', 'foreign'),
    codec: text,
    topic: text,
    payload: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    receivedAt: fc.maxSafeNat(),
    qos: fc.constantFrom<Uplink['qos'][]>(0, 1, 2),
    messageId: fc.option(fc.nat(65_535), { nil: undefined }),
    dup: fc.boolean(),
    session: text,
    will: fc.boolean(),
    fromFile: fc.boolean(),
  },
  {
    requiredKeys: [
      ...(['site', 'device', 'kind', 'topic', 'payload', 'receivedAt', 'qos'] as const),
      ...(['messageId', 'dup', 'session', 'will'] as const),
    ],
    noNullPrototype: true,
  },
);

function blockOf(data: Uplink, form?: typeof UPLINK_FORM): EntryBlock {
  const block = new EntryBlock(0, form);
  block.add({ key: 'k', data });
  return block;
}

describe('UPLINK_FORM', () => {
  it('gives back exactly what was stored; what is absent stays absent', () => {
    fc.assert(
      fc.property(fc.array(uplink, { minLength: 1, maxLength: 5 }), (uplinks) => {
        const block = new EntryBlock(0, UPLINK_FORM);
        for (const data of uplinks) block.add({ key: data.device, data });
        expect(decodeEntries(block, UPLINK_FORM)).toStrictEqual(
          uplinks.map((data) => ({ key: data.device, data })),
        );
      }),
    );
  });

  it('reads a will of which an earlier version did not store whether it was sent again', () => {
    const stored = UPLINK_FORM.pack(UPLINK).map((value, place) => (place === 10 ? null : value));
    expect(UPLINK_FORM.unpack(stored)).toMatchObject({ dup: false });
  });

  it('reads what was stored as a map, before there was a form', () => {
    expect(decodeEntries(blockOf(UPLINK), UPLINK_FORM)).toStrictEqual([{ key: 'k', data: UPLINK }]);
  });

  it('stores these bytes', () => {
    const receivedAt = Buffer.alloc(8);
    receivedAt.writeDoubleBE(UPLINK.receivedAt);
    const [NIL, FALSE, TRUE, FLOAT64] = [0xc0, 0xc2, 0xc3, 0xcb];
    const fixstr = (text: string): number[] => [0xa0 | text.length, ...Buffer.from(text)];
    const expected = [
      ...[0x92, ...fixstr('k')],
      ...[0x9c, ...fixstr('s'), ...fixstr('d'), ...fixstr('telemetry'), NIL, ...fixstr('t'), ...fixstr('c')],
      ...[0, TRUE, FLOAT64, ...receivedAt, NIL, FALSE],
      ...[0xc4, 2, ...Buffer.from('{}')],
    ];
    expect([...blockOf(UPLINK, UPLINK_FORM).bytes]).toEqual(expected);
  });
});
