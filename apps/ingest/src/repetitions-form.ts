/** Of each message: its packet identifier, and the digest of topic and payload. */
const ID_BYTES = 2;
const MESSAGE_BYTES = ID_BYTES + 32;

/** Whether it holds whole messages. */
export function isRepetitions(value: unknown): boolean {
  return Buffer.isBuffer(value) && value.length % MESSAGE_BYTES === 0;
}

export function messageRow(messageId: number, digest: Buffer): Buffer {
  const row = Buffer.alloc(MESSAGE_BYTES);
  row.writeUInt16BE(messageId);
  digest.copy(row, ID_BYTES);
  return row;
}

/** The row of the message with this identifier; empty when none has it. */
export function rowOf(messageId: number, rows: Buffer): Buffer {
  const at = placeOf(messageId, rows);
  return rows.subarray(at, at + MESSAGE_BYTES);
}

/** The rows with this one as the newest, in the place of an earlier one of its identifier, and at most so many. */
export function rowsWith(row: Buffer, rows: Buffer, most: number): Buffer {
  const at = placeOf(row.readUInt16BE(), rows);
  const others = Buffer.concat([rows.subarray(0, at), rows.subarray(at + MESSAGE_BYTES)]);
  return Buffer.concat([others.subarray((1 - most) * MESSAGE_BYTES), row]);
}

/** Where the message with this identifier stands; the end when none has it. */
function placeOf(messageId: number, rows: Buffer): number {
  let at = 0;
  while (at < rows.length && rows.readUInt16BE(at) !== messageId) at += MESSAGE_BYTES;
  return at;
}
