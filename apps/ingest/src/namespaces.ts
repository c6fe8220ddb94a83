import { isObject } from '#libs/kernel';
import { defineNamespace } from '#libs/state';
import type { CodecMemory } from '#libs/telemetry';
import { isRepetitions } from './repetitions-form.js';

export const CODEC_MEMORY = defineNamespace<CodecMemory>({
  name: 'ingest/codecs',
  owner: 'ingest',
  key: 'sender/codec',
  value: 'CodecMemory',
  description:
    'What a codec remembers of a sender from one message to the next; the codec looks at its members.',
  bound: { rowsFor: 'each sender and codec' },
  shape: isObject,
});

/** As bytes, because objects would take longer to write than all else that a message costs. */
export const REPETITIONS = defineNamespace<Buffer>({
  name: 'ingest/repetitions',
  owner: 'ingest',
  key: 'device',
  value: 'Buffer',
  description:
    'The messages that were decoded last, oldest first: of each the packet identifier and a digest.',
  bound: { rowsFor: 'each device' },
  shape: isRepetitions,
});
