import { HOUR, SECOND } from '#libs/kernel';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  payload,
  type MetricOf,
  float,
  int,
} from '../../../../devices/codecs/sparkplug-b/sparkplug.fixture.js';
import { parse } from 'yaml';

const CODECS = join(import.meta.dirname, '..', '..', '..', '..', 'devices', 'codecs');

/** Makers by their folders; each needs a page and a session. */
export function makers(): string[] {
  return readdirSync(CODECS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** What the page of a maker tells its reader to type, read out of the page itself. */
export interface Page {
  /** Arguments of every `pantau` command, in order. */
  readonly commands: readonly (readonly string[])[];
  /** The section `mappings` for `pantau.yaml`; empty where none is needed. */
  readonly mappings: string;
  readonly text: string;
}

/** The page in both languages: what is to be typed must be the same. */
export function pageOf(maker: string): readonly [Page, Page] {
  const text = readFileSync(join(CODECS, maker, 'README.md'), 'utf8');
  const halves = text.split(/\n(?:---\n\n# |## English\n)/);
  if (halves.length !== 2) throw new Error(`${maker}/README.md: expected two halves, found ${halves.length}`);
  return halves.map(partOf) as unknown as readonly [Page, Page];
}

function partOf(text: string): Page {
  const blocks = (language: string): string[] =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map(([, body = '']) => body);
  const commands = blocks('sh').flatMap((block) =>
    [...block.matchAll(/^npm run -s pantau -- (.+)$/gm)].map(([, line = '']) => line.split(' ')),
  );
  const mappings = blocks('yaml').filter((block) => 'mappings' in (parse(block) as object));
  if (mappings.length > 1) throw new Error('expected one block of mappings in each language');
  return { commands, mappings: mappings[0] ?? '', text };
}

export interface SessionMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** What becomes of it: `udara-01: pm25 12.4; udara-01: status online`, `not mapped`, `nothing to keep`, `refused …`. */
  readonly outcome: string;
}

/** What a device does from its connection to its end, with times of now. Its `# origin:` says where it comes from. */
export interface Session {
  readonly client: string;
  readonly qos: 0 | 1;
  readonly will: SessionMessage | undefined;
  readonly messages: readonly SessionMessage[];
}

/** @throws Error when the maker has none, or one that cannot be read */
export function sessionOf(maker: string, now: number): Session {
  const file = join(CODECS, maker, 'session.txt');
  if (!existsSync(file)) throw new Error(`devices/codecs/${maker} has no session.txt: write one`);
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const header = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`# ${name}: `))?.slice(name.length + 4);
  const client = header('client');
  if (client === undefined) throw new Error(`${maker}/session.txt: expected "# client: <id>"`);
  const will = header('will');
  const messages = lines.filter((line) => !line.startsWith('#'));
  // In the past and one after the other, as if it had been heard until now.
  const at = (i: number): number => now - (messages.length - i + 1) * 10 * SECOND;
  return {
    client,
    qos: header('qos') === '0' ? 0 : 1,
    will: will === undefined ? undefined : messageOf(will, at(messages.length)),
    messages: messages.map((line, i) => messageOf(line, at(i))),
  };
}

function messageOf(line: string, at: number): SessionMessage {
  const fields = line.split(' | ');
  const [topic = '', retain = '', outcome = ''] = [fields[0], ...fields.slice(-2)];
  if (fields.length < 4 || !/^[01]$/.test(retain))
    throw new Error(`expected topic | payload | retain | what becomes of it, found ${line}`);
  return {
    topic,
    payload: payloadOf(fields.slice(1, -2).join(' | ').trim(), at),
    retain: retain === '1',
    outcome: outcome.split('; ').sort().join('; '),
  };
}

/** The bytes; `<local>` and its kin are times, `base64:`, `hex:` and `sparkplug:` are payloads that are no text. */
function payloadOf(text: string, at: number): Buffer {
  if (text.startsWith('base64:')) return Buffer.from(text.slice(7), 'base64');
  if (text.startsWith('hex:')) return Buffer.from(text.slice(4), 'hex');
  if (text.startsWith('sparkplug:')) return sparkplug(text.slice(10), at);
  const iso = new Date(at).toISOString();
  return Buffer.from(
    text
      .replaceAll('<local>', new Date(at + 7 * HOUR).toISOString().slice(0, 19))
      .replaceAll('<slashed>', `${iso.slice(0, 19).replaceAll('-', '/')}z`)
      .replaceAll('<iso>', iso)
      .replaceAll('<ms>', String(at))
      .replaceAll('<s>', String(Math.floor(at / SECOND))),
  );
}

function sparkplug(json: string, at: number): Buffer {
  const metrics = JSON.parse(json) as (Omit<MetricOf, 'value'> & { float?: number; int?: number })[];
  return payload(
    metrics.map(({ float: real, int: whole, ...metric }) => ({
      ...metric,
      ...(real === undefined ? {} : { value: float(12, real) }),
      ...(whole === undefined ? {} : { value: int(11, whole) }),
    })),
    at,
  );
}
