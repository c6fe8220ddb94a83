/** What this browser remembers for the reader. It may refuse to remember anything. */
export function remembered(name: string): string | undefined {
  try {
    return localStorage.getItem(`pantau.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`pantau.${name}`, value);
  } catch {
    // Asked again next time.
  }
}
