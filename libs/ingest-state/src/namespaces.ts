import { z } from 'zod';
import { isStoredMemory, type StoredMemory } from '#libs/quality-control';
import { defineNamespace } from '#libs/state';
import type { ClockDay, DeviceSensors, UnreadMembers } from '#libs/telemetry';

export const DEVICE_MEMORY = defineNamespace<StoredMemory>({
  name: 'ingest/memory',
  owner: 'ingest',
  key: 'device',
  value: 'StoredMemory',
  description: "What a device's earlier messages mean for the next one: its clock today, its series.",
  bound: { rowsFor: 'each device' },
  shape: isStoredMemory,
  published: { query: 'IngestQueries', readers: ['gateway'] },
});

export const CLOCK_LEDGER = defineNamespace<ClockDay>({
  name: 'ingest/clock',
  owner: 'ingest',
  key: 'device/day',
  value: 'ClockDay',
  description: 'The ledger of clock skew: days of arrival that are over.',
  bound: { forever: 'a day of a device whose clock was wrong is told from one that was not, years later' },
  shape: z.object({ day: z.string(), messages: z.number() }),
  published: { query: 'IngestQueries', readers: ['gateway'] },
});

export const DEVICE_SENSORS = defineNamespace<DeviceSensors>({
  name: 'ingest/sensors',
  owner: 'ingest',
  key: 'device',
  value: 'DeviceSensors',
  description: 'The sensors that the messages of a device name: which count, which are refused.',
  bound: { rowsFor: 'each device' },
  shape: z.object({ counted: z.object({}), refused: z.array(z.object({ name: z.string() })) }),
  published: { query: 'IngestQueries', readers: ['gateway', 'pantau'] },
});

export const UNREAD_MEMBERS = defineNamespace<UnreadMembers>({
  name: 'ingest/unread',
  owner: 'ingest',
  key: 'device',
  value: 'UnreadMembers',
  description: 'Members of messages that held numbers and were not read.',
  bound: { rowsFor: 'each device' },
  shape: z.object({
    members: z.array(z.object({ name: z.string(), firstAt: z.number(), lastAt: z.number() })),
  }),
  published: { query: 'IngestQueries', readers: ['gateway'] },
});
