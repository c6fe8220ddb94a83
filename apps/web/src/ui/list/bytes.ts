/** A row of bytes as they are looked at: where it begins, in hexadecimal, and as signs where they are signs. */
export interface ByteRow {
  readonly offset: string;
  readonly hex: string;
  readonly text: string;
}

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
}

const PRINTABLE = /[ -~]/;

export function rowsOf(bytes: Uint8Array, perRow: number): ByteRow[] {
  const hexOf = (number: number, places: number): string => number.toString(16).padStart(places, '0');
  return Array.from({ length: Math.ceil(bytes.length / perRow) }, (_, row) => {
    const part = [...bytes.subarray(row * perRow, (row + 1) * perRow)];
    return {
      offset: hexOf(row * perRow, 4),
      hex: part
        .map((byte) => hexOf(byte, 2))
        .join(' ')
        .padEnd(perRow * 3 - 1),
      text: part
        .map((byte) => String.fromCharCode(byte))
        .map((sign) => (PRINTABLE.test(sign) ? sign : '·'))
        .join(''),
    };
  });
}

/** The text that bytes are; undefined where they are none. */
export function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
