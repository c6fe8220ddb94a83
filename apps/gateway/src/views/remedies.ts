import type { RejectionReason } from '#libs/telemetry';

/** What can be done about what ingest refuses, in both languages; the whole table is in `docs/devices.md`. */
const REMEDIES: Partial<Readonly<Record<RejectionReason, string>>> = {
  unreadable:
    'Periksa codec pemetaan; pasang atau perbaiki dekoder di server LoRaWAN. / ' +
    "Check the mapping's codec; set or repair the decoder at the LoRaWAN server.",
  not_json:
    'Untuk format pembuat lain pakai codec di pemetaan. / For another maker’s format use a codec in the mapping.',
  schema_violation:
    'Bandingkan dengan halaman codec atau docs/schema. / Compare with the page of the codec or docs/schema.',
  number_as_text: 'Kirim angka tanpa tanda kutip. / Send numbers without quotes.',
  not_finite: 'Periksa sensor dan kabelnya. / Check the sensor and its cable.',
  unknown_parameter:
    'Ganti nama anggota yang disebut menjadi nama di halaman codec, di perangkat atau di dekoder. / ' +
    'Rename the members that are named to names on the page of the codec, in the device or in its decoder.',
  unknown_unit: 'Atur satuan seperti pada halaman codec. / Set the unit as on the page of the codec.',
  other_sensor:
    'Petakan sensor itu ke perangkat sendiri (aliases), atau pilih: pantau device sensors. / ' +
    'Map that sensor to a device of its own (aliases), or choose it: pantau device sensors.',
  unknown_device:
    'Daftarkan perangkat itu dan tambahkan ke speaksFor, atau perbaiki aliases. / ' +
    'Register that device and add it to speaksFor, or correct aliases.',
  timestamp_in_future: 'Setel jam perangkat (NTP). / Set the clock of the device (NTP).',
  timestamp_too_old: 'Setel jam perangkat (NTP). / Set the clock of the device (NTP).',
  too_late: 'Perbesar maxAge perangkat di sites.yaml. / Increase maxAge of the device in sites.yaml.',
  nothing_to_keep:
    'Pesannya hanya memuat keadaan perangkat: petakan topik yang memuat hasil ukur, atau nyalakan sensornya. / ' +
    'Its messages hold the condition of the device alone: map the topic that holds measurements, or switch its sensor on.',
};

export function remedyOf(reason: RejectionReason): string {
  return (
    REMEDIES[reason] ??
    'Lihat isinya di /api/v1/rejected dan tabel di docs/devices.md. / See /api/v1/rejected and the table in docs/devices.md.'
  );
}
