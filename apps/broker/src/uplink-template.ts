import type { EntryBlock } from '#libs/journal';
import type { Uplink } from '#libs/telemetry';
import { pack } from 'msgpackr';

// Codes of MessagePack.
const FIXMAP = 0x80;
const FIXARRAY = 0x90;
const FALSE = 0xc2;
const TRUE = 0xc3;
const BIN16 = 0xc5;
const FLOAT64 = 0xcb;
const UINT16 = 0xcd;

const BIN16_HEADER_BYTES = 3;
/** Of the payload, so that its length fits into two bytes. */
export const MAX_TEMPLATE_PAYLOAD_BYTES = 0xffff;

/** What is the same in all messages of QoS 1 that a session writes to one topic. */
export type UplinkConstants = Pick<Uplink, 'site' | 'device' | 'kind' | 'topic' | 'session'>;

/**
 * An entry of the stream `uplink`, all but what changes from one message to the next encoded once. A message of a known
 * topic then costs two copies and three numbers, and leaves nothing for the garbage collector to look at.
 */
export class UplinkTemplate {
  /** Up to the payload. */
  readonly #bytes: Buffer;
  // Where in it the values stand.
  readonly #receivedAt: number;
  readonly #messageId: number;
  readonly #dup: number;

  /** @param shard - of the device */
  constructor(
    readonly shard: number,
    { site, device, kind, topic, session }: UplinkConstants,
  ) {
    const constants = Object.entries({ site, device, kind, topic, session, qos: 1, will: false });
    const pieces: Uint8Array[] = [];
    const add = (...next: Uint8Array[]): number => {
      pieces.push(...next);
      return pieces.reduce((sum, { length }) => sum + length, 0);
    };
    add(
      Uint8Array.of(FIXARRAY | 2),
      pack(device),
      Uint8Array.of(FIXMAP | (constants.length + 4)),
      ...constants.flat().map((value) => pack(value)),
    );
    this.#receivedAt = add(pack('receivedAt'), Uint8Array.of(FLOAT64));
    this.#messageId = add(new Uint8Array(8), pack('messageId'), Uint8Array.of(UINT16));
    this.#dup = add(new Uint8Array(2), pack('dup'));
    add(Uint8Array.of(FALSE), pack('payload'));
    this.#bytes = Buffer.concat(pieces);
  }

  /**
   * Adds a message to a block of its shard.
   *
   * @param source - holds the payload, from `start` to before `end`
   */
  write(
    block: EntryBlock,
    receivedAt: number,
    messageId: number,
    dup: boolean,
    source: Buffer,
    start: number,
    end: number,
  ): void {
    const template = this.#bytes;
    const payloadBytes = end - start;
    const at = block.reserve(template.length + BIN16_HEADER_BYTES + payloadBytes);
    const { buffer } = block;
    template.copy(buffer, at);
    buffer.writeDoubleBE(receivedAt, at + this.#receivedAt);
    buffer.writeUInt16BE(messageId, at + this.#messageId);
    if (dup) buffer[at + this.#dup] = TRUE;
    const payloadAt = at + template.length;
    buffer[payloadAt] = BIN16;
    buffer.writeUInt16BE(payloadBytes, payloadAt + 1);
    source.copy(buffer, payloadAt + BIN16_HEADER_BYTES, start, end);
  }
}
