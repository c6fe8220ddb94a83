import { dictionary } from '../../../core/language.svelte';

export const words = dictionary(
  {
    permanent: 'tetap, tanpa batas waktu',
    permanentEnds: 'Kata sandi dan token yang lama berakhir sekarang, dan perangkatnya diputus.',
    noEnd: 'tidak berakhir',
    service: 'Pemakaian',
    anyService: 'semua',
    services: { open: 'dipakai', revoked: 'nonaktif' },
    off: 'Nonaktifkan',
    offSure: (id: string) =>
      `Nonaktifkan ${id}? Ia diputus dan kata sandinya berakhir. Data dan angkanya tetap; sejak sekarang ia tidak dihitung.`,
    back: 'Pakai lagi',
    backSure: (id: string) => `Pakai ${id} lagi? Ia memerlukan kata sandi baru.`,
    since: 'sejak',
    sheets: (count: string) => `Lembar untuk ${count} perangkat`,
    sheetsOf: (count: string) => `Buat kata sandi dan lembar untuk ${count} perangkat`,
    sheetsTitle: 'Lembar pemasangan',
    sheetsAbout:
      'Setiap perangkat mendapat kata sandi tetap dan satu halaman dengan kode QR. Kata sandi hanya ada di halaman ini sampai Anda menutupnya; Pantau hanya menyimpan sidiknya.',
    sheetsEnd: 'Kata sandi lama perangkat ini berakhir, dan perangkat yang tersambung diputus.',
    make: (count: string) => `Buat ${count} kata sandi`,
    goOn: (count: string) => `Lanjutkan: ${count} lagi`,
    madeOf: (made: string, all: string) => `${made} dari ${all} kata sandi dibuat`,
    printAll: (count: string) => `Cetak ${count} lembar`,
    backToList: 'Kembali ke daftar',
  },
  {
    permanent: 'permanent, without an end',
    permanentEnds: 'The old password and every token end now, and the device is disconnected.',
    noEnd: 'it has no end',
    service: 'Service',
    anyService: 'all',
    services: { open: 'in service', revoked: 'out of service' },
    off: 'Take out of service',
    offSure: (id: string) =>
      `Take ${id} out of service? It is disconnected and its password ends. Its data and figures stay; from now on it does not count.`,
    back: 'Back into service',
    backSure: (id: string) => `Take ${id} back into service? It needs a new password.`,
    since: 'since',
    sheets: (count: string) => `Sheets for ${count} devices`,
    sheetsOf: (count: string) => `Make passwords and sheets for ${count} devices`,
    sheetsTitle: 'Installation sheets',
    sheetsAbout:
      'Each device gets a permanent password and a page with a QR code. The passwords are on this page alone until you close it; Pantau stores only digests.',
    sheetsEnd: 'The old passwords of these devices end, and those that are connected are disconnected.',
    make: (count: string) => `Make ${count} passwords`,
    goOn: (count: string) => `Go on: ${count} more`,
    madeOf: (made: string, all: string) => `${made} of ${all} passwords made`,
    printAll: (count: string) => `Print ${count} sheets`,
    backToList: 'Back to the list',
  },
);
