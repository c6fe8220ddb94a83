import { isObject } from '#libs/kernel';
import type { StreamShape } from './definition.js';

type Kind = 'text' | 'number' | 'boolean' | 'bytes' | 'place' | 'list' | 'anything';
type Members = Readonly<Record<string, Kind>>;

const COMMON_SIGNAL: Members = { site: 'text', device: 'text', ts: 'number', receivedAt: 'number' };
const SIGNALS: Readonly<Record<string, StreamShape>> = {
  heartbeat: members({ ...COMMON_SIGNAL, state: 'text', uplink: 'place' }),
  presence: members({ ...COMMON_SIGNAL, session: 'text', state: 'text', cause: 'text' }),
  status: members({ ...COMMON_SIGNAL, session: 'text', state: 'text', will: 'boolean', uplink: 'place' }),
  event: members({ ...COMMON_SIGNAL, name: 'text', uplink: 'place' }),
};
const READING = members({ parameter: 'text', value: 'number', flag: 'number' });
const OBSERVATION = members({
  ...{ site: 'text', device: 'text', ts: 'number', receivedAt: 'number' },
  ...{ uplink: 'place', readings: 'list' },
});
const ALERT_EVENT = members({ alert: 'text', rule: 'text', kind: 'text', at: 'number', since: 'number' });
const ALERT_STEP = members({ phase: 'text', detail: 'anything' });
const SUBJECT = members({ site: 'text', device: 'text' });
/** As it was written while every rule was a threshold. */
const FLAT_ALERT_EVENT = members({ site: 'text', device: 'text', parameter: 'text', value: 'number' });
const COMMAND = members({ name: 'text', params: 'anything', expiresAt: 'number' });
const AUDIT = members({
  ...{ at: 'number', by: 'anything', from: 'text', action: 'text', on: 'anything', result: 'text' },
  ...{ status: 'number' },
});
const AUDIT_BY = members({ kind: 'text', name: 'text' });
const COMMAND_EVENT = members({ id: 'text', site: 'text', device: 'text', state: 'text', at: 'number' });

/**
 * What every entry of a stream has, whichever version wrote it: the members that readers take for granted. What is missing
 * is found where the entry is read, so that no reader computes with it.
 */
export const STREAM_SHAPES = {
  uplink: members({
    ...{ site: 'text', device: 'text', kind: 'text', topic: 'text', payload: 'bytes', receivedAt: 'number' },
    ...{ qos: 'number', session: 'text', will: 'boolean' },
  }),
  readings: (data: unknown) => {
    const fault = OBSERVATION(data);
    if (fault !== undefined) return fault;
    for (const reading of (data as { readonly readings: readonly unknown[] }).readings) {
      const within = READING(reading);
      if (within !== undefined) return `readings: ${within}`;
    }
    return undefined;
  },
  signals: (data: unknown) => {
    const type = isObject(data) ? data['type'] : undefined;
    const shape = typeof type === 'string' && Object.hasOwn(SIGNALS, type) ? SIGNALS[type] : undefined;
    return shape === undefined ? 'type: none of those of a signal' : shape(data);
  },
  rejected: members({ reason: 'text', detail: 'text', receivedAt: 'number', count: 'number' }),
  liveness: members({ component: 'text', run: 'text', kind: 'text', at: 'number' }),
  identity: members({ id: 'text', change: 'text', at: 'number' }),
  commands: (data: unknown) => {
    const fault = COMMAND_EVENT(data);
    if (fault !== undefined) return fault;
    const { command } = data as { readonly command?: unknown };
    return command === undefined ? undefined : COMMAND(command);
  },
  configurations: members({ site: 'text', device: 'text', at: 'number', configuration: 'anything' }),
  rollups: members({
    ...{ site: 'text', device: 'text', parameter: 'text', tier: 'text', from: 'number', to: 'number' },
    ...{ expected: 'number', received: 'number', valid: 'number' },
  }),
  neighbourhoods: members({ device: 'text', parameter: 'text', hour: 'number', mean: 'anything' }),
  alerts: (data: unknown) => {
    const fault = ALERT_EVENT(data);
    if (fault !== undefined) return fault;
    const { subject } = data as { readonly subject?: unknown };
    if (subject === undefined) return FLAT_ALERT_EVENT(data);
    const within = SUBJECT(subject);
    return within === undefined ? ALERT_STEP(data) : `subject: ${within}`;
  },
  audit: (data: unknown) => {
    const fault = AUDIT(data);
    if (fault !== undefined) return fault;
    const within = AUDIT_BY((data as { readonly by: unknown }).by);
    return within === undefined ? undefined : `by: ${within}`;
  },
  settings: members({ name: 'text', from: 'number', at: 'number', value: 'anything', digest: 'text' }),
} satisfies Readonly<Record<string, StreamShape>>;

function members(required: Members): StreamShape {
  const entries = Object.entries(required);
  return (data) => {
    if (!isObject(data)) return 'not a map';
    for (const [name, kind] of entries) if (!is(kind, data[name])) return `${name}: not ${WORDS[kind]}`;
    return undefined;
  };
}

const WORDS: Readonly<Record<Kind, string>> = {
  text: 'a text',
  number: 'a finite number',
  boolean: 'true or false',
  bytes: 'bytes',
  place: 'a place in the journal',
  list: 'a list',
  anything: 'there',
};

function is(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'place':
      return isObject(value) && Number.isInteger(value['shard']) && Number.isInteger(value['offset']);
    case 'list':
      return Array.isArray(value);
    case 'anything':
      return value !== undefined;
  }
}
