import { defineNamespace } from '#libs/state';

export const CODEC_MEMORY = defineNamespace<unknown>({
  name: 'ingest/codecs',
  owner: 'ingest',
  key: 'sender/codec',
  value: 'unknown',
  description:
    'What a codec remembers of a sender from one message to the next; only the codec knows its form.',
});

/** As bytes, because objects would take longer to write than all else that a message costs. */
export const REPETITIONS = defineNamespace<Buffer>({
  name: 'ingest/repetitions',
  owner: 'ingest',
  key: 'device',
  value: 'Buffer',
  description:
    'The messages that were decoded last, oldest first: of each the packet identifier and a digest.',
});
