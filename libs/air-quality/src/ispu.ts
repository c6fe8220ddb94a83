/**
 * ISPU (Indeks Standar Pencemar Udara), Permen LHK P.14/MENLHK/SETJEN/KUM.1/7/2020.
 *
 * All seven parameters are judged on 24-hour means in µg/m³ (annex, column heads "24 jam").
 */

/** The parameters of the index, in the order that settles ties for the critical parameter (a project choice). */
export const ISPU_PARAMETERS = ['pm10', 'pm25', 'so2', 'co', 'o3', 'no2', 'hc'] as const;
export type IspuParameter = (typeof ISPU_PARAMETERS)[number];

/** Averaging period of every parameter, hours. */
export const ISPU_AVERAGING_HOURS = 24;

/**
 * Index values at the nodes. The annex prints only ">300" for its last row; 500 is the common convention for that
 * node, so numbers above 300 are "by convention".
 */
const INDEX_NODES = [0, 50, 100, 200, 300, 500] as const;

/** Concentrations at the nodes, µg/m³, 24 h: the annex table, with 0 as the implied lower end. */
const CONCENTRATION_NODES: Readonly<Record<IspuParameter, readonly number[]>> = {
  pm10: [0, 50, 150, 350, 420, 500],
  pm25: [0, 15.5, 55.4, 150.4, 250.4, 500],
  so2: [0, 52, 180, 400, 800, 1_200],
  co: [0, 4_000, 8_000, 15_000, 30_000, 45_000],
  o3: [0, 120, 235, 400, 800, 1_000],
  no2: [0, 80, 200, 1_130, 2_260, 3_000],
  hc: [0, 45, 100, 215, 432, 648],
};

/** The five categories, best first. `max` is the highest index of the category. Colours are named by the regulation; the hex values are display choices. */
export const ISPU_CATEGORIES = [
  { code: 'BAIK', name: 'Baik', nameEn: 'Good', max: 50, colour: '#00A651' },
  { code: 'SEDANG', name: 'Sedang', nameEn: 'Moderate', max: 100, colour: '#0072BC' },
  { code: 'TIDAK_SEHAT', name: 'Tidak Sehat', nameEn: 'Unhealthy', max: 200, colour: '#F7D117' },
  {
    code: 'SANGAT_TIDAK_SEHAT',
    name: 'Sangat Tidak Sehat',
    nameEn: 'Very Unhealthy',
    max: 300,
    colour: '#ED1C24',
  },
  { code: 'BERBAHAYA', name: 'Berbahaya', nameEn: 'Hazardous', max: Infinity, colour: '#000000' },
] as const;
export type IspuCategory = (typeof ISPU_CATEGORIES)[number];

export type SubIndex =
  | {
      readonly status: 'ok';
      /** Interpolated index before rounding. */
      readonly raw: number;
      /** Nearest integer, halves up. */
      readonly index: number;
      readonly category: IspuCategory;
      /** The concentration is above the last node; the index is held at 500. */
      readonly beyondScale: boolean;
    }
  /** Negative, not finite or missing: no index, never 0. */
  | { readonly status: 'invalid' };

/** Below the distance of any decimal input from a half, above the error of the interpolation in binary floating point. */
const HALF_EPSILON = 1e-9;

/**
 * Sub-index of one parameter: `I = (Ia − Ib) / (Xa − Xb) · (Xx − Xb) + Ib`, continuous between the nodes; the mean is
 * neither rounded nor truncated before.
 *
 * @param mean24h - 24-hour mean, µg/m³
 */
export function ispuSubIndex(parameter: IspuParameter, mean24h: number | null | undefined): SubIndex {
  if (mean24h === null || mean24h === undefined || !Number.isFinite(mean24h) || mean24h < 0)
    return { status: 'invalid' };
  const nodes = CONCENTRATION_NODES[parameter];
  const upper = nodes.findIndex((node, i) => i > 0 && mean24h <= node);
  const beyondScale = upper === -1;
  const i = beyondScale ? nodes.length - 1 : upper;
  const [xb = 0, xa = 0, ib = 0, ia = 0] = [nodes[i - 1], nodes[i], INDEX_NODES[i - 1], INDEX_NODES[i]];
  const raw = beyondScale ? ia : ((ia - ib) / (xa - xb)) * (mean24h - xb) + ib;
  const index = Math.floor(raw + 0.5 + HALF_EPSILON);
  return { status: 'ok', raw, index, category: ispuCategory(index), beyondScale };
}

/** The category of a rounded index. */
export function ispuCategory(index: number): IspuCategory {
  return ISPU_CATEGORIES.find(({ max }) => index <= max) ?? ISPU_CATEGORIES[4];
}

export interface Ispu {
  readonly index: number;
  readonly category: IspuCategory;
  /** Parameter kritis: the one with the highest unrounded sub-index. */
  readonly critical: IspuParameter;
  readonly beyondScale: boolean;
  readonly subIndices: Readonly<Partial<Record<IspuParameter, number>>>;
}

/**
 * The reported ISPU: the highest sub-index.
 *
 * @param means - 24-hour means, µg/m³; a parameter without a valid mean takes no part
 * @returns undefined when no parameter has a valid mean
 */
export function ispu(means: Readonly<Partial<Record<IspuParameter, number | null>>>): Ispu | undefined {
  let highest: { parameter: IspuParameter; sub: Extract<SubIndex, { status: 'ok' }> } | undefined;
  const subIndices: Partial<Record<IspuParameter, number>> = {};
  for (const parameter of ISPU_PARAMETERS) {
    const sub = ispuSubIndex(parameter, means[parameter]);
    if (sub.status === 'invalid') continue;
    subIndices[parameter] = sub.index;
    if (highest === undefined || sub.raw > highest.sub.raw) highest = { parameter, sub };
  }
  if (highest === undefined) return undefined;
  const { index, category, beyondScale } = highest.sub;
  return { index, category, critical: highest.parameter, beyondScale, subIndices };
}
