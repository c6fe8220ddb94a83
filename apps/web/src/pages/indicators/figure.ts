import type { Figure } from '../../../client';

type Json = Figure['detail'][string];
type Row = Readonly<Record<string, Json>>;

/** What a subject is called in an address. */
export function subjectName({ subject }: Pick<Figure, 'subject'>): string {
  if ('device' in subject) return subject.device;
  if ('site' in subject) return subject.site;
  return 'district' in subject ? subject.district : 'regency';
}

export const keyOf = (figure: Pick<Figure, 'indicator' | 'subject' | 'period'>): string =>
  [figure.indicator, subjectName(figure), figure.period.date].join('/');

/** The page of a figure. */
export const pathOf = (figure: Pick<Figure, 'indicator' | 'subject' | 'period'>): string =>
  `/indicators/${[figure.indicator, subjectName(figure), figure.period.date].map(encodeURIComponent).join('/')}`;

/** The rows of a part of its detail; none where this kind of figure has no such part. */
export function rowsOf({ detail }: Pick<Figure, 'detail'>, name: string): readonly Row[] {
  const part = detail[name];
  return Array.isArray(part)
    ? part.filter(
        (one): one is { [key: string]: Json } =>
          typeof one === 'object' && one !== null && !Array.isArray(one),
      )
    : [];
}

export const numberOf = (value: Json | undefined): number | null =>
  typeof value === 'number' ? value : null;
export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** Times of an availability, milliseconds; undefined for figures of another kind. */
export function timesOf({
  dataCapture: { upMs, degradedMs = 0, downReportedMs = 0, downSilentMs = 0, plannedMs = 0, unknownMs = 0 },
}: Pick<Figure, 'dataCapture'>) {
  if (upMs === undefined) return undefined;
  return {
    up: upMs - degradedMs,
    degraded: degradedMs,
    reported: downReportedMs,
    silent: downSilentMs,
    planned: plannedMs,
    unknown: unknownMs,
  };
}

/** Whether its period goes on. */
export const isRunning = ({ period }: Pick<Figure, 'period'>, now: number): boolean =>
  Date.parse(period.to) > now;

/** So many places as say something beside the unit. */
export const digitsOf = (unit: string): number => (unit === '%' ? 2 : 1);
