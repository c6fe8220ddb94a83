/** What a figure is about. */
export type Subject =
  | { readonly site: string; readonly device: string }
  | { readonly site: string; readonly device?: never }
  | { readonly district: string; readonly device?: never }
  | { readonly regency: string; readonly device?: never };

export const SUBJECT_KINDS = ['device', 'site', 'district', 'regency'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];
