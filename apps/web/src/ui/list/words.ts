import { dictionary } from '../../core/language.svelte';

export const words = dictionary(
  {
    fresh: (count: string) => `${count} baru: tampilkan`,
    more: 'Lebih banyak',
    count: (count: string) => `${count} ditampilkan`,
    countMore: (count: string) => `${count} ditampilkan; masih ada lagi`,
    all: 'Semua',
    from: 'Dari tanggal',
    to: 'Sampai tanggal',
    clear: 'Hapus saringan',
    filters: 'Saringan',
    payload: 'Isi asli',
    bytesShown: (shown: string, all: string) => `${shown} pertama dari ${all}`,
    text: 'Sebagai teks',
    hex: 'Heksadesimal',
  },
  {
    fresh: (count: string) => `${count} new: show`,
    more: 'More',
    count: (count: string) => `${count} shown`,
    countMore: (count: string) => `${count} shown; there are more`,
    all: 'All',
    from: 'From day',
    to: 'To day',
    clear: 'Clear filters',
    filters: 'Filters',
    payload: 'Original bytes',
    bytesShown: (shown: string, all: string) => `first ${shown} of ${all}`,
    text: 'As text',
    hex: 'Hexadecimal',
  },
);
