import { defined, PantauError } from '#libs/kernel';
import { TopicMappings, type Codec, type CodecOutput, type SetAsideTopic } from '#libs/telemetry';
import type { Answer } from '../http/answer.js';
import { iso } from '../http/iso.js';
import type { previewSchema } from './foreign-topics-answer.js';

type Preview = Answer<typeof previewSchema>;
type CodecPreview = Preview['readings'][number];

/**
 * What codecs would read of a message that nobody reads, as with a mapping of this pattern.
 *
 * @param name - of the codec; without one all are asked, and those are told of that read something
 * @throws PantauError `USAGE` for a pattern that does not fit the topic, or a codec that does not exist
 */
export function previewOf(
  { sample, sampleBytes, lastAt }: SetAsideTopic,
  {
    topic,
    pattern,
    codec: name,
  }: { readonly topic: string; readonly pattern: string; readonly codec?: string | undefined },
  codecs: ReadonlyMap<string, Codec>,
): Preview {
  const names = [...codecs.keys()].sort();
  if (name !== undefined && !codecs.has(name))
    throw wrong(
      'codec',
      `no codec ${name}; there are ${names.join(', ')}`,
      `tidak ada codec ${name}; ada ${names.join(', ')}`,
    );
  const matched = new TopicMappings([{ pattern, codec: name ?? '' }]).match(topic);
  if (matched === undefined)
    throw wrong('pattern', 'it does not fit the topic', 'tidak cocok dengan topiknya');
  const read = (codec: string): CodecPreview => {
    const input = { topic, parts: matched.parts, payload: sample, receivedAt: lastAt };
    const result = codecs.get(codec)?.decode({ ...input, utcOffsetMs: undefined, memory: undefined });
    const { outputs = [], refusals = [], unread = [], ignored } = result ?? {};
    return { codec, outputs: outputs.map(shown), refusals, unread, ...defined({ ignored }) };
  };
  const readings = (name === undefined ? names : [name]).map(read);
  return {
    sampleBytes,
    isWhole: sampleBytes <= sample.length,
    codecs: names,
    readings: readings.filter(({ outputs }) => name !== undefined || outputs.length > 0),
  };
}

function shown(output: CodecOutput): CodecPreview['outputs'][number] {
  const head = iso(defined({ ts: output.ts, source: output.source }));
  switch (output.kind) {
    case 'telemetry': {
      const others = output.others?.map(({ measured }) => measured) ?? [];
      const values = [...output.values, ...others].map(({ parameter, value, unit, sensor }) => ({
        ...{ parameter, value, unit },
        ...defined({ sensor }),
      }));
      return { kind: output.kind, ...head, values };
    }
    case 'event':
      return { kind: output.kind, ...head, name: output.name };
    case 'heartbeat':
      return { kind: output.kind, ...head, state: output.state };
    case 'status':
      return { kind: output.kind, ...head, state: output.state };
  }
}

function wrong(field: string, message: string, indonesian?: string): PantauError {
  return new PantauError('USAGE', `${field}: ${message}.`, {
    fields: [{ field, message, ...defined({ indonesian }) }],
  });
}
