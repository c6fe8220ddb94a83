import type { Json } from '../../../../client';

/** JSON that somebody typed, or what is wrong with it. */
export type TypedJson =
  { readonly value: Json | undefined; readonly fault?: never } | { readonly fault: string };

/** Nothing typed is undefined. */
export function typedJson(text: string): TypedJson {
  if (text.trim() === '') return { value: undefined };
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

export function isJsonObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
