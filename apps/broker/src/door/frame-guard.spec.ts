import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { FrameGuard, KEPT_BYTES, PacketTooLargeError, PIECE_BYTES } from './frame-guard.js';

const MAX = 10_000;

function frame(first: number, body: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = body.length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      length.push(rest);
      break;
    }
    length.push((rest % 128) | 0x80);
  }
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

const isCut = (first: number, body: Buffer): boolean => first >> 4 === 3 && body.length > MAX;
const shown = (first: number, body: Buffer): Buffer =>
  frame(first, isCut(first, body) ? body.subarray(0, KEPT_BYTES) : body);

/** What the parser sees when the bytes come in these pieces. */
function pushed(guard: FrameGuard, bytes: Buffer, cuts: readonly number[]): Buffer {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return Buffer.concat(at.slice(1).flatMap((end, i) => guard.push(bytes.subarray(at[i], end))));
}

const lengthOf = (pieces: readonly Buffer[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

describe('FrameGuard', () => {
  const packet = fc
    .tuple(
      fc.constantFrom(0x30, 0x32, 0x3d, 0x40, 0x82, 0xc0),
      fc.oneof(
        fc.constantFrom(0, 1, 127, 128, KEPT_BYTES, KEPT_BYTES + 1, MAX, MAX + 1, 16_383, 16_384, 40_000),
        fc.nat({ max: 300 }),
      ),
      fc.nat({ max: 255 }),
    )
    .map(([first, length, fill]) => ({ first, body: Buffer.alloc(length, fill) }));

  it('passes a stream with its oversize messages cut, however it is split', () => {
    fc.assert(
      fc.property(
        fc.array(packet, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 60 }),
        (packets, cuts) => {
          const guard = new FrameGuard(MAX);
          const bytes = Buffer.concat(packets.map(({ first, body }) => frame(first, body)));
          const expected = Buffer.concat(packets.map(({ first, body }) => shown(first, body)));
          expect(pushed(guard, bytes, cuts).equals(expected)).toBe(true);
          const publishes = packets.filter(({ first }) => first >> 4 === 3);
          for (const [publish, { first, body }] of publishes.entries())
            expect(guard.takeTruncation(publish)).toEqual(
              isCut(first, body) ? { publish, bytes: body.length } : undefined,
            );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('passes a stream that comes byte by byte', () => {
    const packets = [
      { first: 0x30, body: Buffer.alloc(MAX + 1, 1) },
      { first: 0xc0, body: Buffer.alloc(0) },
      { first: 0x32, body: Buffer.alloc(200, 2) },
    ];
    const bytes = Buffer.concat(packets.map(({ first, body }) => frame(first, body)));
    const guard = new FrameGuard(MAX);
    const out = Buffer.concat(Array.from(bytes).flatMap((byte) => guard.push(Buffer.from([byte]))));
    expect(out.equals(Buffer.concat(packets.map(({ first, body }) => shown(first, body))))).toBe(true);
  });

  it('takes any bytes without an error other than its own, and invents none', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), (chunks) => {
        const guard = new FrameGuard(MAX);
        try {
          const out = chunks.reduce((sum, chunk) => sum + lengthOf(guard.push(Buffer.from(chunk))), 0);
          expect(out).toBeLessThanOrEqual(chunks.reduce((sum, { length }) => sum + length, 0));
        } catch (error) {
          expect(error).toBeInstanceOf(PacketTooLargeError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keeps nothing of what it drops', () => {
    const guard = new FrameGuard(MAX);
    const header = frame(0x30, Buffer.alloc(0)).subarray(0, 1);
    guard.push(Buffer.concat([header, Buffer.from([0xff, 0xff, 0xff, 0x7f])]));
    const chunk = Buffer.alloc(65_536);
    let passed = 0;
    for (let i = 0; i < 1_000; i++) passed += lengthOf(guard.push(chunk));
    expect(passed).toBe(KEPT_BYTES);
  });

  it('refuses another packet than PUBLISH that is larger than any of its kind, once its length is known', () => {
    expect(() => new FrameGuard(MAX).push(Buffer.from([0x10, 0x81, 0x80, 0x04]))).toThrow(
      PacketTooLargeError,
    );
    expect(() => new FrameGuard(MAX).push(Buffer.from([0x82, 0x80, 0x80, 0x04]))).not.toThrow();
  });

  it('leaves a length of five bytes to the parser, which refuses it', () => {
    const bytes = Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01, 0x00]);
    const parser = mqttPacket.parser();
    const errors: unknown[] = [];
    parser.on('error', (error) => errors.push(error));
    for (const piece of new FrameGuard(MAX).push(bytes)) parser.parse(piece);
    expect(errors).toHaveLength(1);
  });

  it('counts what is kept of a packet that is not whole, each piece with what it costs', () => {
    const guard = new FrameGuard(MAX, () => true);
    const body = Buffer.concat([Buffer.from([0, 1, 0x78]), Buffer.alloc(6_000)]);
    const bytes = Buffer.concat([frame(0x30, Buffer.alloc(10)), frame(0x30, body)]);
    guard.push(bytes.subarray(0, 12));
    expect([guard.keptBytes, guard.isWithinPacket]).toEqual([0, false]);
    for (let i = 12; i < 1_012; i++) guard.push(bytes.subarray(i, i + 1));
    expect(guard.isWithinPacket).toBe(true);
    // Those of the header came together with what followed.
    expect(guard.keptBytes).toBeGreaterThan(997 * (PIECE_BYTES + 1));
    guard.push(bytes.subarray(1_012));
    expect([guard.keptBytes, guard.isWithinPacket]).toEqual([0, false]);

    // What is dropped is kept by nobody, and has begun all the same.
    guard.push(frame(0x30, Buffer.alloc(20_000)).subarray(0, 15_000));
    expect([guard.keptBytes, guard.isWithinPacket]).toEqual([0, true]);
  });

  it('lets the beginning of a packet not keep the buffer alive that it came in', () => {
    const message = frame(0x32, Buffer.concat([Buffer.from([0, 1, 0x78, 0, 1]), Buffer.alloc(5_000)]));
    const arrived = Buffer.concat([...Array<Buffer>(12).fill(message), message.subarray(0, 100)]);
    const pieces = new FrameGuard(MAX).push(arrived);
    expect(pieces.map(({ buffer }) => buffer.byteLength)).toEqual([arrived.length, 100]);
  });

  it('passes a limited number of packets in one go, and leaves the rest as it is', () => {
    const guard = new FrameGuard(MAX);
    const bytes = Buffer.concat([
      ...Array<Buffer>(150).fill(frame(0xc0, Buffer.alloc(0))),
      Buffer.from([0x30]),
    ]);
    const sizes: number[] = [];
    for (let rest: Buffer | undefined = bytes; rest !== undefined; rest = guard.takeRest())
      sizes.push(lengthOf(guard.push(rest)));
    expect(sizes).toEqual([128, 128, 44]);
    expect(guard.isWithinPacket).toBe(true);
  });
});
