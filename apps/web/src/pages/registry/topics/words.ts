import { dictionary } from '../../../core/language.svelte';

export const words = dictionary(
  {
    pattern: 'Pola topik',
    patternHint: '{device} menggantikan nama perangkat di topik',
    codec: 'Codec (merek perangkat)',
    chooseCodec: 'pilih codec',
    fits: (codec: string) => `${codec} – membaca contoh ini`,
    noneFits: 'Tidak ada codec yang membaca contoh ini.',
    cut: (kept: string) =>
      `Dari kiriman ini hanya awalnya yang disimpan (dari ${kept} byte), jadi pembacaannya mungkin tidak lengkap.`,
    preview: 'Yang akan terbaca',
    what: 'Isi',
    value: 'Nilai',
    time: 'Waktu perangkat',
    sensor: 'Sensor',
    source: 'Nama di kiriman',
    arrival: 'waktu kedatangan',
    kinds: { telemetry: 'pengukuran', heartbeat: 'detak', status: 'status', event: 'kejadian' },
    refused: 'Ditolak',
    unread: 'Tidak dibaca',
    ignored: 'Dipahami, tidak ada yang disimpan',
    nothing: 'Codec ini tidak membaca apa pun dari contoh ini.',
    dryRun: 'Ini percobaan: tidak ada yang disimpan.',
    yamlAbout:
      'Tambahkan baris ini ke pantau.yaml, lalu jalankan ulang Pantau. Kiriman lama dapat dibaca dari catatan.',
  },
  {
    pattern: 'Pattern of the topic',
    patternHint: '{device} stands for what the topic calls the device',
    codec: 'Codec (maker of the device)',
    chooseCodec: 'choose a codec',
    fits: (codec: string) => `${codec} – reads this sample`,
    noneFits: 'No codec reads this sample.',
    cut: (kept: string) =>
      `Only the beginning of this message is kept (of ${kept} bytes), so what is read of it may be incomplete.`,
    preview: 'What would be read',
    what: 'What',
    value: 'Value',
    time: 'Time of the device',
    sensor: 'Sensor',
    source: 'Name in the message',
    arrival: 'time of arrival',
    kinds: { telemetry: 'measurement', heartbeat: 'heartbeat', status: 'status', event: 'event' },
    refused: 'Refused',
    unread: 'Not read',
    ignored: 'Understood, and nothing to keep',
    nothing: 'This codec reads nothing of this sample.',
    dryRun: 'This is a dry run: nothing is stored.',
    yamlAbout:
      'Add these lines to pantau.yaml, and restart Pantau. Earlier messages can be read from the record.',
  },
);
