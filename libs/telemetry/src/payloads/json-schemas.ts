import { z } from 'zod';
import { PAYLOADS } from './payloads.js';
import type { TopicKind } from '../topics/topics.js';

/** JSON Schema (draft 2020-12) of every payload; `npm run docs:schema` writes them to `docs/schema`. */
export function payloadJsonSchemas(): Record<TopicKind, object> {
  const schemas = Object.entries(PAYLOADS).map(([kind, schema]) => [
    kind,
    { title: `pantau/v1/{site}/{device}/${kind}`, ...z.toJSONSchema(schema, { io: 'input' }) },
  ]);
  return Object.fromEntries(schemas) as Record<TopicKind, object>;
}
