export interface BrowserAnswer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** What a browser on the page of Pantau does: it keeps the cookie, says where a request comes from, and sends the token. */
export class Browser {
  cookie = '';
  csrfToken = '';

  constructor(private readonly api: string) {}

  get origin(): string {
    return new URL(this.api).origin;
  }

  /** @param headers - others than a browser on the page sends; undefined leaves one out */
  async send<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<BrowserAnswer<T>> {
    const sent: Record<string, string | undefined> = {
      cookie: this.cookie === '' ? undefined : this.cookie,
      'sec-fetch-site': 'same-origin',
      'x-csrf-token': this.csrfToken === '' ? undefined : this.csrfToken,
      origin: method === 'GET' ? undefined : this.origin,
      'content-type': body === undefined ? undefined : 'application/json',
      ...headers,
    };
    const present = Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const response = await fetch(`${this.api}/v1/${path}`, {
      method,
      headers: Object.fromEntries(present),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const set = response.headers.get('set-cookie');
    if (set !== null) this.cookie = set.split(';')[0] ?? '';
    const answer = (await response.json()) as T & { csrfToken?: string };
    if (answer.csrfToken !== undefined) this.csrfToken = answer.csrfToken;
    return { status: response.status, headers: response.headers, body: answer };
  }

  async signIn(
    name: string,
    password: string,
  ): Promise<BrowserAnswer<{ user: string; permissions: string[] }>> {
    return this.send('POST', 'session', { name, password });
  }
}
