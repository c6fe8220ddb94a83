/** What the API says where it does not do what it was asked (RFC 9457), or that it said nothing. */
export interface Problem {
  /** 0: no answer came. */
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly code: string | undefined;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'ProblemError';
  }
}

/** Whatever an answer holds, as a problem; anybody may stand between the page and Pantau and answer in its place. */
export function problemFrom(status: number, body: unknown): Problem {
  const members =
    typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const errors = Array.isArray(members['errors']) ? (members['errors'] as readonly unknown[]) : [];
  return {
    status,
    title: text(members['title']) ?? String(status),
    detail: text(members['detail']),
    code: text(members['code']),
    errors: errors.flatMap((one) => {
      const { field, message } = (one ?? {}) as { field?: unknown; message?: unknown };
      return typeof field === 'string' && typeof message === 'string' ? [{ field, message }] : [];
    }),
  };
}

export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  return {
    status: 0,
    title: '',
    detail: error instanceof Error ? error.message : undefined,
    code: undefined,
    errors: [],
  };
}
