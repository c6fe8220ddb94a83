/** A CONNECT with a clean session; anonymous without a password. Keep-alive in seconds; 0 is none. */
export function connectPacket(
  id: string,
  password: string | undefined,
  keepAlive = 0,
  username = id,
): Buffer {
  const flags = password === undefined ? 0x02 : 0xc2;
  const credentials = password === undefined ? [] : [text(username), text(password)];
  const header = Buffer.from([4, flags, keepAlive >> 8, keepAlive & 255]);
  return packet(0x10, Buffer.concat([text('MQTT'), header, text(id), ...credentials]));
}

/** A SUBSCRIBE to one filter at QoS 1. */
export function subscribePacket(filter: string): Buffer {
  return packet(0x82, Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([1])]));
}

/** A PUBLISH at QoS 1. */
export function publishPacket(topic: string, messageId: number, payload: Buffer): Buffer {
  const id = Buffer.from([messageId >> 8, messageId & 255]);
  return packet(0x32, Buffer.concat([text(topic), id, payload]));
}

/** Any packet: first byte, remaining length, body. */
export function packet(type: number, body: Buffer): Buffer {
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest % 128) | (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

/** A string of MQTT: two bytes of length before it. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}
