import { dictionary } from '../../core/language.svelte';

/** What each reason of a refusal means, and what can be done, as in docs/rejections.md. */
export const reasons = dictionary(
  {
    unknown_device: { means: 'Nama pengguna bukan perangkat terdaftar', remedy: 'Daftarkan perangkatnya.' },
    bad_credentials: {
      means: 'Kata sandi salah, atau client id bukan ID perangkat',
      remedy: 'Terbitkan kata sandi baru.',
    },
    revoked: {
      means: 'Perangkat dicabut, atau sertifikatnya tidak menyebut siapa pun',
      remedy: 'Terbitkan kata sandi baru.',
    },
    duplicate_identity: {
      means: 'Dua klien dengan satu identitas saling merebut sambungan',
      remedy: 'Beri setiap perangkat kredensialnya sendiri.',
    },
    topic_not_allowed: {
      means: 'Topik milik yang lain; tidak diteruskan kepada siapa pun',
      remedy: 'Kirim di bawah pantau/v1/{lokasi}/{perangkat}/, atau petakan topiknya.',
    },
    subscription_not_allowed: {
      means: 'Berlangganan topik yang tidak boleh dibaca',
      remedy: 'Berlangganan cmd/# dan config miliknya sendiri saja.',
    },
    protocol_version: {
      means: 'MQTT 5; broker Pantau memakai 3.1 dan 3.1.1',
      remedy: 'Setel klien ke 3.1.1, atau sambungkan ke broker yang dijembatani Pantau.',
    },
    malformed: {
      means: 'Bukan MQTT, atau tidak utuh; sambungan ditutup',
      remedy: 'Periksa apa yang tersambung ke alamat itu.',
    },
    limit_exceeded: {
      means: 'Melewati batas; rinciannya menyebut batas yang mana',
      remedy: 'Kirim lebih jarang, atau naikkan batasnya (mqtt.limits).',
    },
    payload_too_large: {
      means: 'Kiriman terlalu besar; awalnya disimpan',
      remedy: 'Kirim pesan yang lebih kecil.',
    },
    unreadable: {
      means: 'Bukan bentuk yang diharapkan dari jenis alat ini',
      remedy: 'Lihat halaman codec-nya, atau setel alatnya.',
    },
    not_json: { means: 'Bukan JSON', remedy: 'Perbaiki programnya agar mengirim JSON.' },
    json_too_deep: {
      means: 'Bersarang lebih dalam dari kiriman mana pun',
      remedy: 'Kirim JSON yang lebih datar.',
    },
    schema_violation: {
      means: 'Ada anggota yang hilang, tidak dikenal, atau salah jenis',
      remedy: 'Bandingkan dengan docs/schema.',
    },
    number_as_text: { means: 'Angka di dalam tanda kutip', remedy: 'Kirim sebagai angka.' },
    not_finite: { means: 'NaN atau tak hingga', remedy: 'Nilai yang tidak ada jangan dikirim.' },
    unknown_parameter: {
      means: 'Parameter tidak dikenal (nilai lain tetap disimpan)',
      remedy: 'Lihat nama parameter di docs/schema.',
    },
    unknown_unit: {
      means: 'Satuan yang tidak dikenal untuk parameter itu',
      remedy: 'Setel satuannya di perangkat.',
    },
    other_sensor: {
      means: 'Sensor lain di samping sensor deret perangkat ini',
      remedy: 'Petakan ke perangkat sendiri, atau hitung sensor itu: pantau device sensors.',
    },
    nothing_to_keep: {
      means: 'Dimengerti, tetapi tidak berisi angka untuk disimpan',
      remedy: 'Tidak perlu apa-apa.',
    },
    repeated: { means: 'Dikirim ulang, dan sudah diterima sebelumnya', remedy: 'Tidak perlu apa-apa.' },
    timestamp_in_future: { means: 'Waktu perangkat di masa depan', remedy: 'Setel jam perangkat.' },
    timestamp_too_old: { means: 'Waktu perangkat terlalu lama', remedy: 'Setel jam perangkat.' },
    too_late: {
      means: 'Diukur lebih lama sebelum tibanya daripada yang diizinkan',
      remedy: 'Naikkan maxAge untuk pencatat yang lama menyimpan.',
    },
    store_refused: {
      means: 'Basis data deret waktu menolaknya, dengan kata-katanya sendiri',
      remedy: 'Baca rinciannya; laporkan bila berulang.',
    },
    handler_failed: {
      means: 'Satu tahap Pantau gagal pada entri ini saja',
      remedy: 'Ini kesalahan program: laporkan.',
    },
  },
  {
    unknown_device: { means: 'The user name is no registered device', remedy: 'Register it.' },
    bad_credentials: {
      means: 'Wrong password, or a client id that is not the device id',
      remedy: 'Issue a new password.',
    },
    revoked: {
      means: 'The device was revoked, or its certificate names nobody',
      remedy: 'Issue a new password.',
    },
    duplicate_identity: {
      means: "Two clients with one identity keep taking over each other's connection",
      remedy: 'Give each device its own credentials.',
    },
    topic_not_allowed: {
      means: "Somebody else's topic; delivered to nobody",
      remedy: 'Write below pantau/v1/{site}/{device}/, or map the topic.',
    },
    subscription_not_allowed: {
      means: 'A topic filter that it may not read',
      remedy: 'Subscribe to its own cmd/# and config.',
    },
    protocol_version: {
      means: "MQTT 5; Pantau's broker speaks 3.1 and 3.1.1",
      remedy: 'Set the client to 3.1.1, or connect it to a broker that Pantau bridges.',
    },
    malformed: {
      means: 'Not MQTT, or not whole; the connection is closed',
      remedy: 'Look at what connects to that address.',
    },
    limit_exceeded: {
      means: 'A limit is passed; the detail names it',
      remedy: 'Send less often, or raise the limit (mqtt.limits).',
    },
    payload_too_large: {
      means: 'The message is too large; its beginning is kept',
      remedy: 'Send smaller messages.',
    },
    unreadable: {
      means: "Not in the format that the device's codec expects",
      remedy: 'See the page of the codec, or set the device.',
    },
    not_json: { means: 'Not JSON', remedy: 'Mend the program so that it sends JSON.' },
    json_too_deep: { means: 'Nested deeper than any payload', remedy: 'Send flatter JSON.' },
    schema_violation: {
      means: 'A member is missing, unknown or of the wrong type',
      remedy: 'Compare with docs/schema.',
    },
    number_as_text: { means: 'A number in quotes', remedy: 'Send it as a number.' },
    not_finite: { means: 'NaN or infinity', remedy: 'Leave a missing value out.' },
    unknown_parameter: {
      means: 'No such parameter (the other values are kept)',
      remedy: 'See the names of parameters in docs/schema.',
    },
    unknown_unit: {
      means: 'A unit that is not known for the parameter',
      remedy: 'Set the unit at the device.',
    },
    other_sensor: {
      means: 'A sensor beside the one that the series of its device is of',
      remedy: 'Map it to a device of its own, or let it count: pantau device sensors.',
    },
    nothing_to_keep: {
      means: 'Understood, and holds no number to keep',
      remedy: 'Nothing needs to be done.',
    },
    repeated: { means: 'Sent again, and taken before', remedy: 'Nothing needs to be done.' },
    timestamp_in_future: { means: 'Device time in the future', remedy: 'Set the clock.' },
    timestamp_too_old: { means: 'Device time too long ago', remedy: 'Set the clock.' },
    too_late: {
      means: 'Measured longer before its arrival than is allowed',
      remedy: 'Raise maxAge for loggers that buffer for long.',
    },
    store_refused: {
      means: 'The time-series store refused it, in its own words',
      remedy: 'Read the detail; report it if it comes again.',
    },
    handler_failed: {
      means: 'A stage of Pantau failed on this entry and on no other',
      remedy: 'A fault of the program: report it.',
    },
  },
);
export type Reason = keyof typeof reasons;
export const isReason = (text: string | null): text is Reason =>
  text !== null && Object.hasOwn(reasons, text);
