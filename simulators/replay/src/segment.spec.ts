import { temporaryFolder } from '#libs/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Anonymiser } from './anonymise.js';
import { readSegment, type SegmentLine } from './segment.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const HEADER: SegmentLine = {
  ...{ type: 'segment', version: 1, anonymised: false },
  ...{ from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' },
};
const DEVICE: SegmentLine = {
  type: 'device',
  device: 'udara-01',
  site: 'betung',
  kind: 'air',
  intervalMs: 60_000,
};
const message = (payload: string, receivedAt = '2026-01-01T01:00:00.000Z'): SegmentLine => ({
  ...{ type: 'message', device: 'udara-01', kind: 'telemetry', receivedAt, payload: base64(payload) },
});

function written(...lines: readonly unknown[]): { readonly file: string } & Disposable {
  const folder = temporaryFolder('segment');
  const file = join(folder.path, 'segment.jsonl');
  writeFileSync(
    file,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  return { file, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

describe('a segment of a journal', () => {
  it('is replayed byte for byte, what nobody can read included, in its order and at its times', () => {
    const payloads = ['{"ts":"2026-01-01T00:59:59Z","values":{"pm25":12}}', 'pm25=12'];
    using segment = written(HEADER, DEVICE, ...payloads.map((payload) => message(payload)));
    const { site, messages } = readSegment(segment.file).replay(0).get('udara-01')!;
    expect(site).toBe('betung');
    expect([...messages].map(({ payload }) => payload.toString())).toEqual(payloads);
    expect([...messages].map(({ dueAt }) => dueAt)).toEqual(
      Array(2).fill(Date.parse('2026-01-01T01:00:00Z')),
    );
  });

  it('is moved in time with the times that its messages state', () => {
    using segment = written(
      HEADER,
      DEVICE,
      message('{"ts":"2026-01-01T00:59:59.000Z","values":{"pm25":12}}'),
      message('{"ts":1767229199000,"lastFrameAt":"2026-01-01T00:59:00Z"}'),
      message('pm25=12'),
    );
    const { messages } = readSegment(segment.file).replay(3_600_000).get('udara-01')!;
    expect([...messages].map(({ payload }) => payload.toString())).toEqual([
      '{"ts":"2026-01-01T01:59:59.000Z","values":{"pm25":12}}',
      '{"ts":1767232799000,"lastFrameAt":"2026-01-01T01:59:00.000Z"}',
      'pm25=12',
    ]);
  });

  it.each([
    ['no header', [DEVICE], /segment\.jsonl:1: expected a line of the type "segment"/],
    ['a line that is no JSON', [HEADER, 'x'], /segment\.jsonl:2: .*JSON/],
    ['an unknown key', [HEADER, { ...DEVICE, colour: 'red' }], /segment\.jsonl:2: .*colour/],
    ['a message of nobody', [HEADER, message('{}')], /segment\.jsonl:2: no line names the device udara-01/],
  ])('with %s is refused with file and line', (_name, lines, error) => {
    using segment = written(...lines);
    expect(() => readSegment(segment.file).replay(0)).toThrow(error);
  });

  it('that is not there is refused with what writes one', () => {
    expect(() => readSegment('none.jsonl')).toThrow(/pantau export/);
  });
});

describe('anonymising', () => {
  const devices = ['udara-sd-negeri-4', 'cctv-rumah-bupati'].map((id) => ({ id, site: `di-${id}` }));
  const anonymiser = new Anonymiser(devices);
  const of = (kind: Parameters<Anonymiser['payload']>[0], message: unknown): unknown => {
    const kept = anonymiser.payload(kind, Buffer.from(JSON.stringify(message)));
    return kept === undefined ? undefined : (JSON.parse(kept.toString()) as unknown);
  };

  it('gives devices and sites numbers, each its own and always the same', () => {
    expect(devices.map(({ id }) => anonymiser.device(id)).sort()).toEqual(['perangkat-1', 'perangkat-2']);
    expect(devices.map(({ site }) => anonymiser.site(site)).sort()).toEqual(['lokasi-1', 'lokasi-2']);
    expect(anonymiser.device(devices[0]!.id)).toBe(anonymiser.device(devices[0]!.id));
  });

  it('keeps times, counters, known states and measured values, and no words', () => {
    const ts = '2026-01-01T00:00:00Z';
    expect(of('telemetry', { ts, seq: 3, values: { pm25: 12.5, 'rumah-bupati': 1 } })).toEqual({
      ...{ ts, seq: 3, values: { pm25: 12.5 } },
    });
    expect(of('heartbeat', { ts, state: 'down', reason: 'pak Budi', frames: 9, lastFrameAt: ts })).toEqual({
      ...{ ts, state: 'down', frames: 9, lastFrameAt: ts },
    });
    expect(of('status', { state: 'online', firmware: 'kantor-camat' })).toEqual({ state: 'online' });
    expect(of('event', { ts, name: 'pak Budi' })).toBeUndefined();
    expect(of('telemetry', { ts, values: { pm25: 1 }, note: 'pak Budi' })).toBeUndefined();
    expect(anonymiser.payload('telemetry', Buffer.from('pak Budi'))).toBeUndefined();
  });
});
