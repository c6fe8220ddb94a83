/** What an indicator is, for people; printed with every figure. */
export interface IndicatorDefinition {
  readonly key: string;
  /** Raised with every change of the method, so that an old figure can be told from a new one. */
  readonly version: number;
  readonly name: { readonly id: string; readonly en: string };
  readonly formula: { readonly id: string; readonly en: string };
  readonly unit: string;
  /** Of which kind of device it is computed, per device and calendar day of the regency. */
  readonly deviceKind: 'air' | 'camera';
}

export const PM25_DAILY_MEAN = {
  key: 'env.aq.pm25_daily_mean',
  // 3: what was received is counted by what was promised.
  version: 3,
  name: { id: 'Rata-rata harian PM2,5', en: 'Daily mean of PM2.5' },
  formula: {
    id: 'Rata-rata dari rata-rata jam yang sah, yang dibobot menurut waktu (sah: nilai mencakup sedikitnya 75 % dari jam itu); ada nilai bila sedikitnya 18 dari 24 jam sah. Nilai yang tidak lazim ikut dihitung, nilai dari alat yang rusak tidak; angka tanpa nilai yang tidak lazim disebut di sampingnya',
    en: 'Mean of the valid hourly means, which are weighted by time (valid: values cover at least 75 % of the hour); given when at least 18 of 24 hours are valid. Unusual values count, those of a faulty instrument do not; the figure without the unusual ones stands beside it',
  },
  unit: 'ug/m3',
  deviceKind: 'air',
} as const satisfies IndicatorDefinition;

export const CAMERA_AVAILABILITY = {
  key: 'soc.cctv.availability',
  // 3: from registration on, not from the first sign of life.
  version: 3,
  name: { id: 'Ketersediaan kamera', en: 'Camera availability' },
  formula: {
    id: 'Waktu hidup ÷ (waktu hidup + waktu mati) sejak didaftarkan, atau sejak tanda hidup pertama bila itu lebih awal; waktu yang tidak teramati ditunjukkan tersendiri dan tidak ikut dihitung. Batas bawah menghitungnya sebagai mati, batas atas sebagai hidup. Waktu terganggu dihitung hidup, bagiannya disebut (degradedShare); waktu mati terencana bukan hidup dan bukan mati, dan tidak ikut dalam ketiga angka',
    en: 'Time up ÷ (time up + time down) since registration, or since the first sign of life if that was earlier; unobserved time is shown by itself and left out. The lower bound counts it as down, the upper bound as up. Degraded time counts as up and its share is stated (degradedShare); planned time off is neither up nor down and is in none of the three figures',
  },
  unit: '%',
  deviceKind: 'camera',
} as const satisfies IndicatorDefinition;

export const INDICATORS: readonly IndicatorDefinition[] = [PM25_DAILY_MEAN, CAMERA_AVAILABILITY];
