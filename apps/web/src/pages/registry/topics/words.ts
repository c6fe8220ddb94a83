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
    offset: 'Waktu di kiriman tanpa zona',
    offsetArrival: 'waktu kedatangan yang berlaku',
    offsetWib: 'waktu setempat, WIB (+07:00)',
    patternInFile:
      'Pola ini ada di pantau.yaml: codec dan waktunya diatur di sana. Di sini ditambahkan nama perangkat ini saja.',
    codecOfAll: (codec: string) =>
      `Pola ini sudah dipetakan dengan codec ${codec}. Menyimpan mengganti codec-nya bagi semua perangkat pada pola ini.`,
    willSpeak: (sender: string, device: string) =>
      `${sender} juga didaftarkan boleh berbicara untuk ${device}; sambungannya diputus sebentar dan tersambung kembali.`,
    fromNow: (isOne: boolean) =>
      isOne
        ? 'Berlaku bagi kiriman berikutnya. Kiriman yang sudah ditolak tidak dibaca lagi: hanya contoh ini yang disimpan.'
        : 'Berlaku bagi kiriman berikutnya. Kiriman yang sudah ditolak tidak dibaca lagi: hanya jumlah dan contoh ini yang disimpan.',
    save: 'Simpan pemetaan',
    saved: (pattern: string) => `Disimpan. Kiriman berikutnya pada ${pattern} dibaca.`,
    speaksDone: (sender: string, device: string) =>
      `${sender} kini boleh berbicara untuk ${device}. Kiriman berikutnya dibaca.`,
    readBy: (pattern: string) => `kini dibaca: ${pattern}`,
    mappings: 'Pemetaan yang berlaku',
    mappingsAbout:
      'Dicoba dari atas: yang di pantau.yaml diubah di berkas itu, lalu yang dibuat di halaman ini.',
    noMappings: 'Belum ada pemetaan.',
    device: 'Perangkat',
    byTopic: 'menurut topiknya',
    bySender: 'pengirimnya',
    origin: 'Diatur di',
    origins: { file: 'pantau.yaml', stored: 'halaman ini' },
    actions: 'Tindakan',
    remove: 'Hapus',
    removeSure: (pattern: string) => `Hapus pemetaan ${pattern}? Kiriman berikutnya tidak dibaca lagi.`,
    inFile: 'ubah di pantau.yaml',
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
    offset: 'Times in the message without a zone',
    offsetArrival: 'the arrival counts',
    offsetWib: 'local time, WIB (+07:00)',
    patternInFile:
      'This pattern is in pantau.yaml: its codec and times are set there. Here the name of this device alone is added.',
    codecOfAll: (codec: string) =>
      `This pattern is mapped with the codec ${codec} already. Saving changes the codec of all devices of the pattern.`,
    willSpeak: (sender: string, device: string) =>
      `${sender} is also registered to speak for ${device}; its connection ends for a moment and comes back.`,
    fromNow: (isOne: boolean) =>
      isOne
        ? 'It holds for the next message. What was refused is not read again: this sample alone was kept.'
        : 'It holds for the next message. What was refused is not read again: the number and this sample alone were kept.',
    save: 'Save the mapping',
    saved: (pattern: string) => `Saved. The next messages on ${pattern} are read.`,
    speaksDone: (sender: string, device: string) =>
      `${sender} may speak for ${device} now. The next messages are read.`,
    readBy: (pattern: string) => `read now: ${pattern}`,
    mappings: 'Mappings in force',
    mappingsAbout:
      'Tried from the top: those of pantau.yaml are changed in that file, then those made on this page.',
    noMappings: 'There is no mapping yet.',
    device: 'Device',
    byTopic: 'by its topic',
    bySender: 'the sender',
    origin: 'Set in',
    origins: { file: 'pantau.yaml', stored: 'this page' },
    actions: 'Actions',
    remove: 'Remove',
    removeSure: (pattern: string) =>
      `Remove the mapping ${pattern}? The next messages are not read any more.`,
    inFile: 'change it in pantau.yaml',
  },
);
