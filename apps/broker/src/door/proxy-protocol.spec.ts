import fc from 'fast-check';
import { parseProxyHeader } from './proxy-protocol.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const hex = (...parts: readonly string[]): Buffer => Buffer.from(parts.join(''), 'hex');
const text = (line: string): Buffer => Buffer.from(line, 'latin1');

/** What the parser says when the bytes arrive in these pieces, as a socket hands them over. */
function feed(pieces: readonly Buffer[]): unknown {
  let bytes = Buffer.alloc(0);
  try {
    for (const piece of pieces) {
      bytes = Buffer.concat([bytes, piece]);
      const parsed = parseProxyHeader(bytes);
      if (parsed !== undefined) return parsed;
    }
    return 'more';
  } catch (error) {
    return error instanceof Error ? 'malformed' : error;
  }
}

describe('parseProxyHeader', () => {
  it.each([
    ['IPv4', text('PROXY TCP4 192.0.2.1 10.0.0.1 56324 1883\r\n'), { address: '192.0.2.1', port: 56324 }],
    ['IPv6', text('PROXY TCP6 2001:db8::1 ::1 1 2\r\n'), { address: '2001:db8::1', port: 1 }],
    ['unknown', text('PROXY UNKNOWN\r\n'), undefined],
    ['unknown with addresses', text('PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n'), undefined],
    [
      'v2 IPv4',
      hex(SIGNATURE, '21', '11', '000c', 'c0000201', '0a000001', 'dc04', '075b'),
      { address: '192.0.2.1', port: 56324 },
    ],
    [
      'v2 IPv4 with extensions',
      hex(SIGNATURE, '21', '11', '0010', 'c0000201', '0a000001', 'dc04', '075b', '04000100'),
      { address: '192.0.2.1', port: 56324 },
    ],
    ['v2 LOCAL', hex(SIGNATURE, '20', '00', '0000'), undefined],
    ['v2 of a UNIX socket', hex(SIGNATURE, '21', '31', '0000'), undefined],
    ['v2 with too little for its family', hex(SIGNATURE, '21', '11', '0004', 'c0000201'), undefined],
  ])('reads %s and leaves what follows', (_name, header, source) => {
    expect(parseProxyHeader(Buffer.concat([header, Buffer.from('MQTT')]))).toEqual({
      source,
      length: header.length,
    });
  });

  it.each([
    ['no header', text('\x10\x0c\x00\x04MQTT')],
    ['another word', text('PROXI TCP4 192.0.2.1 10.0.0.1 1 2\r\n')],
    ['another protocol', text('PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n')],
    ['no address', text('PROXY TCP4 .... 10.0.0.1 1 2\r\n')],
    ['a port that is none', text('PROXY TCP4 192.0.2.1 10.0.0.1 65536 2\r\n')],
    ['a line without an end', text(`PROXY TCP4 ${'1'.repeat(100)}`)],
    ['version 3', hex(SIGNATURE, '31', '11', '000c')],
    ['more extensions than any balancer sends', hex(SIGNATURE, '21', '11', 'ffff')],
  ])('refuses %s', (_name, bytes) => {
    expect(() => parseProxyHeader(bytes)).toThrow(/PROXY header/);
  });

  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  const line = fc
    .tuple(address, fc.integer({ min: 0, max: 99_999 }), fc.string({ maxLength: 60 }))
    .map(([source, port, tail]) => text(`PROXY TCP4 ${source} 10.0.0.1 ${port} 1883${tail}\r\n`));
  const binary = fc
    .tuple(
      fc.constantFrom('20', '21', '2f', '11'),
      fc.constantFrom('11', '21', '00'),
      fc.uint8Array({ maxLength: 60 }),
    )
    .map(([command, family, body]) =>
      Buffer.concat([hex(SIGNATURE, command, family, body.length.toString(16).padStart(4, '0')), body]),
    );
  const stream = fc
    .tuple(
      fc.oneof(
        line,
        binary,
        fc.uint8Array({ maxLength: 130 }).map((bytes) => Buffer.from(bytes)),
      ),
      fc.uint8Array(),
    )
    .map(([header, rest]) => Buffer.concat([header, rest]));

  it('says the same however the bytes are split', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 0, max: 200 })), (bytes, cuts) => {
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        expect(feed(pieces)).toEqual(feed([bytes]));
        expect(feed(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(feed([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it('says so for every line around the longest that is allowed', () => {
    for (let length = 95; length < 120; length++) {
      const bytes = text(`PROXY UNKNOWN ${'x'.repeat(length - 16)}\r\n`);
      expect(bytes).toHaveLength(length);
      const expected = length <= 107 ? { source: undefined, length } : 'malformed';
      expect(feed([bytes])).toEqual(expected);
      expect(feed(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(expected);
    }
  });
});
