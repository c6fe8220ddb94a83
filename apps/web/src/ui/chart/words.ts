import { dictionary } from '../../core/language.svelte';

export const words = dictionary(
  {
    none: (what: string) => `${what}: tidak ada nilai dalam waktu ini`,
    summary: (what: string, value: string, unit: string, time: string, gaps: string) =>
      `${what}: terakhir ${value} ${unit} pada ${time}; ${gaps} celah`,
    between: (low: string, high: string) => `antara ${low} dan ${high}`,
    together: (count: string) => `${count} pembacaan`,
    doubted: {
      3: (count: string) => `${count} meragukan`,
      4: (count: string) => `${count} tidak lulus`,
    },
    hint: 'Seret, Ctrl+roda, atau + − ← → untuk memperbesar dan menggeser; klik dua kali atau Esc untuk kembali. Bidang kelabu: tidak ada nilai, dengan sebabnya.',
    gaps: (count: string) => `Waktu tanpa nilai dan sebabnya: ${count}`,
    zoom: 'Perbesaran grafik',
    closer: 'Perbesar',
    farther: 'Perkecil',
    earlier: 'Lebih awal',
    later: 'Lebih akhir',
    each: 'Setiap pembacaan',
    envelope: (length: string, readings: string) =>
      `Terendah, tertinggi, dan rata-rata tiap ${length} dari ${readings} pembacaan`,
    failed: (tests: string) => `tidak lulus: ${tests}`,
    gap: {
      heartbeat: 'Perangkat bekerja, tanpa nilai',
      degraded: 'Perangkat terganggu',
      reported: 'Perangkat: tidak bekerja',
      silent: 'Perangkat atau jaringannya diam',
      silent_connected: 'Perangkat tersambung, tetapi diam',
      silent_lost: 'Jaringan: sambungan perangkat putus',
      silent_left: 'Perangkat memutus sambungannya sendiri',
      planned: 'Pemeliharaan',
      undetermined: 'Perangkat tidak tahu',
      unobserved: 'Pantau tidak mendengarkan',
    },
    notEnough: 'Belum cukup data',
  },
  {
    none: (what: string) => `${what}: no value in this time`,
    summary: (what: string, value: string, unit: string, time: string, gaps: string) =>
      `${what}: last ${value} ${unit} at ${time}; ${gaps} gaps`,
    between: (low: string, high: string) => `between ${low} and ${high}`,
    together: (count: string) => `${count} readings`,
    doubted: {
      3: (count: string) => `${count} suspect`,
      4: (count: string) => `${count} failed`,
    },
    hint: 'Drag, Ctrl+wheel, or + − ← → to zoom and move; double-click or Esc to go back. Grey: no value, with the reason.',
    gaps: (count: string) => `Time without values, and why: ${count}`,
    zoom: 'Zoom of the chart',
    closer: 'Zoom in',
    farther: 'Zoom out',
    earlier: 'Earlier',
    later: 'Later',
    each: 'Every reading',
    envelope: (length: string, readings: string) =>
      `Lowest, highest and mean of each ${length} of ${readings} readings`,
    failed: (tests: string) => `did not pass: ${tests}`,
    gap: {
      heartbeat: 'Device works, no value',
      degraded: 'Device degraded',
      reported: 'Device: does not work',
      silent: 'Device or its network silent',
      silent_connected: 'Device connected, but silent',
      silent_lost: 'Network: connection of the device broke',
      silent_left: 'Device ended its connection itself',
      planned: 'Maintenance',
      undetermined: 'Device cannot tell',
      unobserved: 'Pantau did not listen',
    },
    notEnough: 'Not enough data',
  },
);
