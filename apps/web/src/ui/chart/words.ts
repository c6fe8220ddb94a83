import { dictionary } from '../../core/language.svelte';

export const words = dictionary(
  {
    none: (what: string) => `${what}: tidak ada nilai dalam waktu ini`,
    summary: (what: string, value: string, unit: string, time: string, gaps: string) =>
      `${what}: terakhir ${value} ${unit} pada ${time}; ${gaps} celah`,
    between: (low: string, high: string) => `antara ${low} dan ${high}`,
    hint: 'Seret untuk memperbesar, klik dua kali untuk kembali. Bidang kelabu: tidak ada nilai, dengan sebabnya.',
  },
  {
    none: (what: string) => `${what}: no value in this time`,
    summary: (what: string, value: string, unit: string, time: string, gaps: string) =>
      `${what}: last ${value} ${unit} at ${time}; ${gaps} gaps`,
    between: (low: string, high: string) => `between ${low} and ${high}`,
    hint: 'Drag to zoom, double-click to go back. Grey: no value, with the reason.',
  },
);
