/** What states and categories look like; their words are in the dictionary. */
export type ShapeName = 'circle' | 'square' | 'triangle' | 'diamond' | 'octagon' | 'ring' | 'cross';

export type CategoryCode = 'BAIK' | 'SEDANG' | 'TIDAK_SEHAT' | 'SANGAT_TIDAK_SEHAT' | 'BERBAHAYA';
export const CATEGORY_SHAPES: Readonly<Record<CategoryCode, ShapeName>> = {
  BAIK: 'circle',
  SEDANG: 'square',
  TIDAK_SEHAT: 'triangle',
  SANGAT_TIDAK_SEHAT: 'diamond',
  BERBAHAYA: 'octagon',
};

export type StateName = 'online' | 'degraded' | 'offline' | 'silent' | 'unknown' | 'off';
export const STATE_SHAPES: Readonly<Record<StateName, ShapeName>> = {
  online: 'circle',
  degraded: 'triangle',
  offline: 'cross',
  silent: 'diamond',
  unknown: 'ring',
  off: 'square',
};

export type Severity = 'info' | 'warning' | 'critical';
export const SEVERITY_SHAPES: Readonly<Record<Severity, ShapeName>> = {
  info: 'circle',
  warning: 'triangle',
  critical: 'octagon',
};
