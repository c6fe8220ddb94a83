import { MINUTE, type Millis, type UtcMillis } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import { packet, text } from './packets.js';

/** Before the device time of 13 digits, which is overwritten in place. */
const BEFORE_TS = '{"ts":';
/** A value of each parameter. Its last digit changes, because a value that stays is a fault, and costs what a fault costs. */
const VALUES: Readonly<Record<MeasuredParameter, string>> = {
  pm25: '37.51',
  pm10: '61.33',
  so2: '21.42',
  no2: '17.26',
  co: '843',
  o3: '44.18',
  hc: '12.64',
  temperature: '28.45',
  humidity: '81.27',
};
const DIGIT_ZERO = 0x30;

/** A telemetry message whose packet is written by hand and patched in place, so that a generator costs little. */
export class MessageTemplate {
  readonly #payload: Buffer;
  /** Where the last digits of the values stand in it. */
  readonly #digitsAt: readonly number[];

  /** @param stepMs - between two messages of a topic, by the device's clock */
  constructor(
    parameters: readonly MeasuredParameter[],
    private readonly stepMs: Millis = MINUTE,
  ) {
    let json = `${BEFORE_TS}${'0'.repeat(13)},"values":{`;
    this.#digitsAt = parameters.map((parameter, i) => {
      json += `${i === 0 ? '' : ','}"${parameter}":${VALUES[parameter]}`;
      return json.length - 1;
    });
    this.#payload = Buffer.from(`${json}}}`);
  }

  /** A PUBLISH at QoS 1. */
  publishTo(topic: string): Buffer {
    return packet(0x32, Buffer.concat([text(topic), Buffer.alloc(2), this.#payload]));
  }

  /**
   * Makes the PUBLISH that ends at `end` of a buffer a message of its own.
   *
   * @param turn - how many went to its topic before; each is measured a step after the one before
   */
  patch(buffer: Buffer, end: number, messageId: number, turn: number, firstTs: UtcMillis): void {
    const at = end - this.#payload.length;
    buffer.writeUInt16BE(messageId, at - 2);
    buffer.write(String(firstTs + turn * this.stepMs), at + BEFORE_TS.length, 'latin1');
    for (const digitAt of this.#digitsAt) buffer[at + digitAt] = DIGIT_ZERO + ((turn * 7 + digitAt) % 10);
  }
}
