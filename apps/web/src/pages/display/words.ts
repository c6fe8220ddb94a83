import { dictionary } from '../../core/language.svelte';

export const words = dictionary(
  {
    title: 'Udara dan kamera kabupaten',
    ended: 'Tautan layar ini berakhir atau dicabut',
    endedRemedy: 'Minta yang baru kepada administrator: Administrasi, Token API, Tautan layar.',
    empty: 'Alamat ini tidak memuat tautan layar. Salin seluruhnya, juga yang di belakang tanda #.',
    endsSoon: (time: string) => `Tautan layar ini berakhir ${time}`,
    lost: 'Sambungan ke Pantau terputus.',
    lostSince: (time: string) => `Yang terlihat adalah keadaan pada ${time}.`,
    waiting: 'Menunggu Pantau …',
    attention: 'Perlu diperhatikan',
    nothingWrong: 'Tidak ada peringatan, dan semua perangkat melapor.',
    moreWrong: (count: string) => `dan ${count} lagi`,
    part: (part: string, of: string) => `bagian ${part} dari ${of}`,
  },
  {
    title: 'Air and cameras of the regency',
    ended: 'This display link has expired or was revoked',
    endedRemedy: 'Ask an administrator for a new one: Administration, API tokens, Display link.',
    empty: 'This address holds no display link. Copy all of it, with what stands behind #.',
    endsSoon: (time: string) => `This display link expires ${time}`,
    lost: 'The connection to Pantau is lost.',
    lostSince: (time: string) => `What is seen is as it was at ${time}.`,
    waiting: 'Waiting for Pantau …',
    attention: 'To be looked at',
    nothingWrong: 'No alert, and all devices report.',
    moreWrong: (count: string) => `and ${count} more`,
    part: (part: string, of: string) => `part ${part} of ${of}`,
  },
);
