import { loadCodecs } from '#devices/codecs';
import { HOUR } from '#libs/kernel';
import { TopicMappings, type Codec, type CodecOutput, type TopicMapping } from '#libs/telemetry';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { pageOf, sessionOf } from './e2e/session.fixture.js';

const CODECS = join(import.meta.dirname, '..', '..', '..', 'devices', 'codecs');
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const codecs = await loadCodecs();

/** Of everything that the fixtures and the session of a maker become, as its page maps them: values, states, times. */
function digestOf(codec: Codec): string {
  const { mappings = [] } = (parse(pageOf(codec.name)[1].mappings) ?? {}) as { mappings?: TopicMapping[] };
  const mapped = new TopicMappings(mappings);
  const outputs: CodecOutput[] = [];
  let memory: unknown;
  const read = (topic: string, payload: Uint8Array): void => {
    const parts = mapped.match(topic)?.parts ?? {};
    const result = codec.decode({ topic, parts, payload, receivedAt: NOW, utcOffsetMs: 7 * HOUR, memory });
    outputs.push(...result.outputs);
    memory = result.memory ?? memory;
  };
  for (const { topic, payload } of sessionOf(codec.name, NOW).messages) read(topic, payload);
  memory = undefined;
  const fixtures = join(CODECS, codec.name, 'fixtures');
  for (const name of existsSync(fixtures) ? readdirSync(fixtures).sort() : [])
    read('', readFileSync(join(fixtures, name)));
  return createHash('sha256').update(JSON.stringify(outputs)).digest('hex');
}

describe('the version of a codec', () => {
  // Where this fails because the codec reads its messages otherwise: raise its `version`. Then, or where fixtures changed alone,
  // write the new digest with `-u`.
  it.each([...codecs.values()].map((codec) => ({ codec, name: codec.name, version: codec.version ?? 1 })))(
    'of $name, $version, is that of what it reads',
    ({ codec }) => expect(digestOf(codec)).toMatchSnapshot(),
  );
});
