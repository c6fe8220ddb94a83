/** Bytes of the length, and of the rest, of the types that have a fixed head (MessagePack, "Formats"). */
const BYTES_OF_FIXED: Readonly<Record<number, number>> = {
  0xca: 4,
  0xcb: 8,
  0xcc: 1,
  0xcd: 2,
  0xce: 4,
  0xcf: 8,
  0xd0: 1,
  0xd1: 2,
  0xd2: 4,
  0xd3: 8,
  0xd4: 2,
  0xd5: 3,
  0xd6: 5,
  0xd7: 9,
  0xd8: 17,
};
/** Types whose length stands in so many bytes behind the type; `ext` has its own type in a byte more. */
const WIDTH_OF_BYTES: Readonly<Record<number, number>> = {
  ...{ 0xc4: 1, 0xc5: 2, 0xc6: 4, 0xc7: 1, 0xc8: 2, 0xc9: 4, 0xd9: 1, 0xda: 2, 0xdb: 4 },
};
const isExtension = (type: number): boolean => type >= 0xc7 && type <= 0xc9;
/** Lists and maps: how wide their count is, and how many values each of it stands for. */
const WIDTH_OF_COUNT: Readonly<Record<number, readonly [width: number, values: number]>> = {
  ...{ 0xdc: [2, 1], 0xdd: [4, 1], 0xde: [2, 2], 0xdf: [4, 2] },
};

/**
 * Where the MessagePack value that begins at `at` ends, without decoding it and without recursion: so one value that
 * cannot be decoded, or is nested deeper than a stack is, does not take those behind it with it.
 *
 * @returns undefined when the bytes end before the value does
 */
export function endOfValue(bytes: Buffer, at: number): number | undefined {
  let end = at;
  for (let open = 1; open > 0; open--) {
    const type = bytes[end++];
    if (type === undefined) return undefined;
    const width = WIDTH_OF_BYTES[type];
    const counted = WIDTH_OF_COUNT[type];
    if (width !== undefined) {
      if (end + width > bytes.length) return undefined;
      end += width + bytes.readUIntBE(end, width) + (isExtension(type) ? 1 : 0);
    } else if (counted !== undefined) {
      const [countWidth, values] = counted;
      if (end + countWidth > bytes.length) return undefined;
      open += values * bytes.readUIntBE(end, countWidth);
      end += countWidth;
    } else if (type >= 0xa0 && type < 0xc0) end += type - 0xa0;
    else if (type >= 0x90 && type < 0xa0) open += type - 0x90;
    else if (type >= 0x80 && type < 0x90) open += 2 * (type - 0x80);
    else end += BYTES_OF_FIXED[type] ?? 0;
    if (end > bytes.length) return undefined;
  }
  return end;
}
