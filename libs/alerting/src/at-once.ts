import type { Observable } from 'rxjs';

/**
 * What a stream emits that waits for nothing, such as one of readings that are all there.
 *
 * @throws what the stream fails with
 */
export function atOnce<T>(stream: Observable<T>): T[] {
  const values: T[] = [];
  const failures: unknown[] = [];
  stream.subscribe({
    next: (value) => void values.push(value),
    error: (error: unknown) => void failures.push(error),
  });
  if (failures.length > 0) throw failures[0];
  return values;
}
