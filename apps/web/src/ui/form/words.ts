import { dictionary } from '../../core/language.svelte';

/** Of the components that forms are made of. */
export const words = dictionary(
  {
    yes: 'Ya',
    no: 'Tidak',
    close: 'Tutup',
    copy: 'Salin',
    copied: 'Tersalin',
    copyByHand: 'Tekan Ctrl+C untuk menyalin',
    shownOnce: 'Hanya ditampilkan sekali. Salin sekarang.',
    changedMeanwhile: 'Sementara itu orang lain mengubahnya',
    changedRemedy:
      'Yang Anda ketik masih ada. Simpan lagi untuk menimpa perubahan ini, atau sesuaikan isian Anda.',
    before: 'tadinya',
    now: 'kini',
    empty: 'kosong',
    qr: 'Kode QR',
  },
  {
    yes: 'Yes',
    no: 'No',
    close: 'Close',
    copy: 'Copy',
    copied: 'Copied',
    copyByHand: 'Press Ctrl+C to copy it',
    shownOnce: 'Shown this once. Copy it now.',
    changedMeanwhile: 'Somebody else changed it meanwhile',
    changedRemedy: 'What you typed is still there. Save again to write over this, or change what you typed.',
    before: 'was',
    now: 'is now',
    empty: 'empty',
    qr: 'QR code',
  },
);
