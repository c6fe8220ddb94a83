/** What a list holds, and whether it was cut. @param items - one more than the limit when there are more */
export function cut<T>(
  items: readonly T[],
  limit: number,
): { readonly items: readonly T[]; readonly truncated?: true } {
  return items.length > limit ? { items: items.slice(0, limit), truncated: true } : { items };
}
