import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { FrameGuard, KEPT_BYTES, PacketTooLargeError } from './frame-guard.js';

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
  return Buffer.concat(at.slice(1).map((end, i) => guard.push(bytes.subarray(at[i], end))));
}

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
    const out = Buffer.concat(Array.from(bytes, (byte) => guard.push(Buffer.from([byte]))));
    expect(out.equals(Buffer.concat(packets.map(({ first, body }) => shown(first, body))))).toBe(true);
  });

  it('takes any bytes without an error other than its own, and invents none', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), (chunks) => {
        const guard = new FrameGuard(MAX);
        try {
          const out = chunks.reduce((sum, chunk) => sum + guard.push(Buffer.from(chunk)).length, 0);
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
    for (let i = 0; i < 1_000; i++) passed += guard.push(chunk).length;
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
    parser.parse(new FrameGuard(MAX).push(bytes));
    expect(errors).toHaveLength(1);
  });
});
