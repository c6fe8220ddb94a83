/**
 * Runs before every suite: whatever a test fetches from an API of Pantau is compared with the document of that API, and
 * an answer that the document does not describe fails the test.
 */
import type { DescribedAnswers } from './described-answers.fixture.js';

/** What has no end, or is no text. */
const NOT_READ = ['text/event-stream', 'application/vnd.apache.parquet'];

const plain = globalThis.fetch;
const documents = new Map<string, Promise<DescribedAnswers | undefined>>();
const faults: string[] = [];

async function documentOf(origin: string): Promise<DescribedAnswers | undefined> {
  const response = await plain(`${origin}/api/docs-json`);
  // The intake has no document; the API describes its routes.
  if (!response.ok) return undefined;
  const { DescribedAnswers } = await import('./described-answers.fixture.js');
  return new DescribedAnswers((await response.json()) as ConstructorParameters<typeof DescribedAnswers>[0]);
}

globalThis.fetch = async (input, init) => {
  const response = await plain(input, init);
  const { origin, pathname } = new URL(input instanceof Request ? input.url : input);
  if (!pathname.startsWith('/api/v1/')) return response;
  const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
  const type = response.headers.get('content-type') ?? '';
  const isRead = !NOT_READ.some((kind) => type.startsWith(kind));
  const answer = {
    status: response.status,
    type,
    ...(isRead ? { body: await response.clone().text() } : {}),
  };
  const found = documents.get(origin) ?? documentOf(origin);
  documents.set(origin, found);
  const fault = (await found.catch(() => undefined))?.faultOf(method, pathname, answer);
  if (fault !== undefined) faults.push(fault);
  return response;
};

afterEach(() => {
  expect(faults.splice(0)).toEqual([]);
});
