/** What a figure is about. */
export type Subject =
  | { readonly site: string; readonly device: string }
  | { readonly site: string; readonly device?: never }
  | { readonly district: string; readonly device?: never }
  | { readonly regency: string; readonly device?: never };

export const SUBJECT_KINDS = ['device', 'site', 'district', 'regency'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** The name of the one regency that an installation watches. */
export const REGENCY = 'regency';

/** Name of a subject, unique among those of its kind. */
export function subjectName(subject: Subject): string {
  if ('district' in subject) return subject.district;
  if ('regency' in subject) return subject.regency;
  return subject.device ?? subject.site;
}
