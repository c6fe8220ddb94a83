export type Language = 'id' | 'en';

/** The language that somebody prefers (RFC 9110, 12.5.4); undefined where he names neither: then he gets both. */
export function languageOf(acceptLanguage: string | undefined): Language | undefined {
  let best: { readonly language: Language; readonly weight: number } | undefined;
  for (const part of (acceptLanguage ?? '').slice(0, LONGEST_HEADER).split(',')) {
    const [range = '', ...parameters] = part.trim().toLowerCase().split(';');
    const language = (['id', 'en'] as const).find((one) => range.trim().split('-')[0] === one);
    const stated = parameters.find((one) => one.trim().startsWith('q='));
    const weight = stated === undefined ? 1 : Number(stated.trim().slice(2));
    if (language !== undefined && weight > (best?.weight ?? 0)) best = { language, weight };
  }
  return best?.language;
}
const LONGEST_HEADER = 500;

/** Of a text `Indonesian / English` the part in this language; any other text as it is. */
export function inLanguage(text: string, language: Language | undefined): string {
  if (language === undefined) return text;
  const sentences = text.split('. / ');
  const [id, en] =
    sentences.length === 2
      ? [`${sentences[0]}.`, sentences[1]]
      : text.split(' / ').length === 2
        ? text.split(' / ')
        : [];
  return (language === 'id' ? id : en) ?? text;
}

/** What the schemas of Pantau say in words of their own. */
const INDONESIAN: Readonly<Record<string, string>> = {
  'expected a time after from': 'waktu ini harus sesudah from',
  'expected from or a later day': 'hari ini tidak boleh sebelum from',
  'expected ISO 8601 with Z or an offset': 'tulis waktu ISO 8601 dengan Z atau selisih zona',
  'expected a time from 1970 to 2199': 'waktu harus antara tahun 1970 dan 2199',
  'expected a calendar day, YYYY-MM-DD': 'tulis hari kalender, YYYY-MM-DD',
  'expected `next` of an answer of this list': 'isi dengan `next` dari jawaban daftar ini',
  'expected what an answer gave as next': 'isi dengan `next` dari jawaban daftar ini',
  'expected lower-case letters, digits and hyphens, at most 63':
    'hanya huruf kecil, angka, dan tanda hubung, paling banyak 63',
  'expected 1s to 7d': 'antara 1s dan 7d',
  'expected 1s to 366d': 'antara 1s dan 366d',
  'expected JSON': 'isi harus JSON',
  'expected an MQTT topic filter, such as pantau/v1/+/+/telemetry':
    'tulis filter topik MQTT, misalnya pantau/v1/+/+/telemetry',
  'expected a topic outside of pantau/ and $': 'topik di luar pantau/ dan $',
  'expected levels that are text or one named part, such as tele/{device}/SENSOR':
    'setiap tingkat berupa teks atau satu bagian bernama, misalnya tele/{device}/SENSOR',
  'expected each named part once': 'setiap bagian bernama hanya boleh sekali',
  'does not fit what is there': 'tidak cocok lagi dengan yang ada sekarang; orang lain sudah mengubahnya',
  'expected json or csv': 'isi json atau csv',
  'expected json or csv or parquet': 'isi json, csv, atau parquet',
  'expected none with format=parquet, which has columns of its own':
    'tidak untuk format=parquet, yang kolomnya tetap',
  'expected a name': 'isi nama',
  'expected a code of the app, or one of the recovery codes':
    'isi kode dari aplikasi, atau salah satu kode pemulihan',
};

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/^expected names of (.+), with commas between$/, 'isi nama dari $1, dipisahkan koma'],
  [
    /^expected from or a later day, at most (\d+) days in all$/,
    'hari ini tidak boleh sebelum from, seluruhnya paling banyak $1 hari',
  ],
  [/^without (.+)$/, 'tanpa $1'],
  [/^expected (\S+) alone, or without it$/, '$1 saja, atau tanpanya'],
  [
    /^expected a time after from, at most (\d+) days later$/,
    'waktu ini harus sesudah from, paling lama $1 hari kemudian',
  ],
  [/^expected at most (\d+) bytes of JSON$/, 'JSON paling banyak $1 byte'],
  [
    /^expected a duration such as 30s, 5m, 2h or 1d, found "(.*)"$/s,
    'tulis lama waktu seperti 30s, 5m, 2h, atau 1d, bukan "$1"',
  ],
  [/^no device (\S+); did you mean (\S+)\?$/, 'tidak ada perangkat $1; maksudnya $2?'],
  [/^no site (\S+); did you mean (\S+)\?$/, 'tidak ada lokasi $1; maksudnya $2?'],
  [/^no indicator (\S+); did you mean (\S+)\?$/, 'tidak ada indikator $1; maksudnya $2?'],
  [/^no device (\S+)$/, 'tidak ada perangkat $1'],
  [/^no site (\S+)$/, 'tidak ada lokasi $1'],
  [/^no indicator (\S+)$/, 'tidak ada indikator $1'],
  [/^nested too deep; at most (\d+)$/, 'terlalu dalam bersarang; paling dalam $1'],
  [/^too many members and items; at most (\d+)$/, 'terlalu banyak anggota; paling banyak $1'],
  [/^too large; at most (\d+) bytes$/, 'terlalu besar; paling banyak $1 byte'],
];

/** A message that Pantau writes itself, in Indonesian; undefined for one of which nobody wrote that. */
export function indonesianOf(message: string): string | undefined {
  if (Object.hasOwn(INDONESIAN, message)) return INDONESIAN[message];
  for (const [pattern, text] of PATTERNS) if (pattern.test(message)) return message.replace(pattern, text);
  return undefined;
}
