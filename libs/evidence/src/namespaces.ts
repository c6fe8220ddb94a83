import type { ConnectionChange } from '#libs/availability';
import type { TimeSpan } from '#libs/kernel';
import { defineNamespace } from '#libs/state';
import { z } from 'zod';
import { isDeviceBucket, type DeviceBucket } from './buckets/device-bucket-form.js';
import { isDeviceDay, isOpenHours, type DeviceDay, type OpenHours } from './buckets/device-day-form.js';
import { isReaches, type Reaches } from './buckets/reaches.js';
import { isJudgedMean, type StoredMean } from './neighbours/judged-mean-form.js';

/** A bucket was an hour once: the name is stored. */
export const BUCKETS = defineNamespace<DeviceBucket>({
  name: 'evidence/device-hours',
  owner: 'evidence',
  key: 'device/bucket',
  value: 'DeviceBucket',
  description: 'What a device reported in a part of an hour: its values, and its heartbeats.',
  bound: { forever: 'figures of every period are computed from it' },
  shape: isDeviceBucket,
  published: { query: 'EvidenceReader', readers: ['gateway', 'pantau'] },
});

export const REACHES = defineNamespace<Reaches>({
  name: 'evidence/reaches',
  owner: 'evidence',
  key: 'device',
  value: 'Reaches',
  description:
    'The first and the last bucket of each series of a device; none of a device whose first is older.',
  bound: { rowsFor: 'each device' },
  shape: isReaches,
  published: { query: 'EvidenceReader', readers: ['gateway', 'pantau'] },
});

export const LIVENESS = defineNamespace<TimeSpan[]>({
  name: 'evidence/liveness',
  owner: 'evidence',
  key: 'run',
  value: 'TimeSpan[]',
  description: "Pantau's own life: the spans in which a run of it was up.",
  bound: { forever: 'a span for each time that Pantau was up: the silence of every period is judged by it' },
  shape: z.array(z.object({ from: z.number(), to: z.number() })),
  published: { query: 'EvidenceReader', readers: ['gateway', 'pantau'] },
});

export const CONNECTIONS = defineNamespace<readonly ConnectionChange[]>({
  name: 'evidence/connections',
  owner: 'evidence',
  key: 'device/hour',
  value: 'readonly ConnectionChange[]',
  description: 'How the connections of a device began and ended in an hour in which any did.',
  bound: {
    stream: 'signals',
    isGrouped: true,
    // How it stood when the others began.
    keepsNewest: true,
  },
  shape: z.array(
    z.object({
      ts: z.number(),
      event: z.enum(['connected', 'lost', 'expired', 'left', 'stopped']),
      session: z.string(),
      run: z.string(),
      silenceMs: z.number(),
    }),
  ),
  published: { query: 'EvidenceReader', readers: ['gateway', 'pantau'] },
});

export const OPEN_HOURS = defineNamespace<OpenHours>({
  name: 'evidence/open-hours',
  owner: 'evidence',
  key: 'device',
  value: 'OpenHours',
  description: 'The newest hour of each series of a device, which is open.',
  bound: { rowsFor: 'each device' },
  shape: isOpenHours,
});

export const DEVICE_DAYS = defineNamespace<DeviceDay>({
  name: 'evidence/device-days',
  owner: 'evidence',
  key: 'device/day',
  value: 'DeviceDay',
  description: 'The hours of a day of a device, as they were emitted.',
  bound: { forever: 'figures of every period are computed from it' },
  shape: isDeviceDay,
});

export const JUDGED_MEANS = defineNamespace<StoredMean>({
  name: 'evidence/judged-means',
  owner: 'evidence',
  key: 'parameter/hour/device',
  value: 'StoredMean',
  description: 'The mean of an hour, and what the neighbours of the device say of it.',
  bound: { forever: 'the hours of a sensor that drifts are compared over years' },
  shape: isJudgedMean,
  published: { query: 'NeighbourQueries', readers: ['gateway'] },
});

export const DISAGREEMENTS = defineNamespace<true>({
  name: 'evidence/disagreements',
  owner: 'evidence',
  key: 'parameter/hour/device',
  value: 'true',
  description: 'Of these means those with which the neighbours disagree: few, to be found among many.',
  bound: { forever: 'the hours of a sensor that drifts are compared over years' },
  shape: (value) => value === true,
  published: { query: 'NeighbourQueries', readers: ['gateway'] },
});
