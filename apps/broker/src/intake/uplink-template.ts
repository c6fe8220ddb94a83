import type { DirectBatch } from '#libs/journal';
import { UPLINK_FORM, type Uplink } from '#libs/telemetry';
import { pack } from 'msgpackr';

// Codes of MessagePack.
const FIXARRAY = 0x90;
const FALSE = 0xc2;
const TRUE = 0xc3;
const BIN16 = 0xc5;
const FLOAT64 = 0xcb;
const UINT16 = 0xcd;

const BIN16_HEADER_BYTES = 3;
/** The last places of the list, which change from one message to the next. */
const CHANGING = { receivedAt: 0, messageId: 0, dup: false, payload: new Uint8Array() };
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
    constants: UplinkConstants,
  ) {
    const list = UPLINK_FORM.pack({ ...constants, qos: 1, will: false, ...CHANGING });
    const pieces: Uint8Array[] = [];
    const add = (...next: Uint8Array[]): number => {
      pieces.push(...next);
      return pieces.reduce((sum, { length }) => sum + length, 0);
    };
    add(
      Uint8Array.of(FIXARRAY | 2),
      pack(constants.device),
      Uint8Array.of(FIXARRAY | list.length),
      ...list.slice(0, -Object.keys(CHANGING).length).map((value) => pack(value)),
    );
    this.#receivedAt = add(Uint8Array.of(FLOAT64));
    this.#messageId = add(new Uint8Array(8), Uint8Array.of(UINT16));
    this.#dup = add(new Uint8Array(2));
    add(Uint8Array.of(FALSE));
    this.#bytes = Buffer.concat(pieces);
  }

  /**
   * Adds a message to a batch.
   *
   * @param source - holds the payload, from `start` to before `end`
   */
  write(
    batch: Pick<DirectBatch, 'reserve' | 'buffer'>,
    receivedAt: number,
    messageId: number,
    dup: boolean,
    source: Buffer,
    start: number,
    end: number,
  ): void {
    const template = this.#bytes;
    const payloadBytes = end - start;
    const at = batch.reserve(this.shard, template.length + BIN16_HEADER_BYTES + payloadBytes);
    const { buffer } = batch;
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
