import { dictionary } from '../core/language.svelte';

export const words = dictionary(
  {
    indicative: 'Batas indikatif, bukan batas hukum · © 2024 Cahya DSN (MIT)',
    unread: 'Peta tidak dapat dimuat; daftarnya lengkap.',
  },
  {
    indicative: 'Indicative boundaries, not legal ones · © 2024 Cahya DSN (MIT)',
    unread: 'The map cannot be loaded; the list is complete.',
  },
);
