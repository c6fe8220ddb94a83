import { z } from 'zod';
import type { BrokerRun } from '#libs/availability';
import { defineNamespace } from '#libs/state';
import type { ConfigurationChange } from '#libs/telemetry';
import type { Done } from './exchange/done.js';
import { isRecentHours, type RecentHours } from './stations/recent-hours-form.js';
import { isLatestReadings, type LatestReadings } from './views/latest-readings-form.js';
import type { Unread } from './views/nothing-read.js';
import type { AlertView, CommandView, DeviceView, RejectionCount } from './views/views.js';

/** What is shown as a time must be one. */
const time = z.number().min(-8.64e15).max(8.64e15);

/** The read models behind the API, which the projection keeps. */
export const ALERT_VIEWS = defineNamespace<AlertView>({
  name: 'gateway/alerts',
  owner: 'gateway',
  key: 'since/alert',
  value: 'AlertView',
  description: 'An alert from its first step to its last.',
  bound: {
    stream: 'alerts',
    isOver: ({ history }, before) => {
      const end = history.at(-1);
      return end !== undefined && ['resolved', 'cancelled'].includes(end.kind) && end.at < before;
    },
  },
  shape: z.object({
    latest: z.object({ alert: z.string(), rule: z.string(), since: time, at: time }),
    history: z.array(z.object({ at: time })),
  }),
});

export const DEVICE_VIEWS = defineNamespace<DeviceView>({
  name: 'gateway/devices',
  owner: 'gateway',
  key: 'device',
  value: 'DeviceView',
  description: 'What is known of a device beside its readings.',
  bound: { rowsFor: 'each device' },
  shape: z.object({ lastSeen: time.optional(), presence: z.object({ at: time }).optional() }),
});

export const LATEST_READINGS = defineNamespace<LatestReadings>({
  name: 'gateway/latest',
  owner: 'gateway',
  key: 'device',
  value: 'LatestReadings',
  description: 'The latest reading of each parameter of a device.',
  bound: { rowsFor: 'each device' },
  shape: isLatestReadings,
});

export const RECENT_HOURS = defineNamespace<RecentHours>({
  name: 'gateway/recent-hours',
  owner: 'gateway',
  key: 'device',
  value: 'RecentHours',
  description: 'The recent hours of a station, from which its index of now is computed.',
  bound: { rowsFor: 'each device' },
  shape: isRecentHours,
});

export const UNREAD_MESSAGES = defineNamespace<Unread>({
  name: 'gateway/unread',
  owner: 'gateway',
  key: 'device',
  value: 'Unread',
  description: 'Messages of a device that gave nothing, since the newest that gave something.',
  bound: { rowsFor: 'each device' },
  shape: z.object({ reason: z.string(), since: time, at: time, messages: z.number() }),
});

export const REJECTION_COUNTS = defineNamespace<RejectionCount>({
  name: 'gateway/rejected',
  owner: 'gateway',
  key: 'reason/device',
  value: 'RejectionCount',
  description: 'How often something was refused for a reason.',
  bound: { rowsFor: 'each reason and device' },
  shape: z.object({ reason: z.string(), count: z.number(), lastAt: time }),
});

export const BROKER_RUNS = defineNamespace<BrokerRun>({
  name: 'gateway/broker-runs',
  owner: 'gateway',
  key: 'run',
  value: 'BrokerRun',
  description: 'When a run of the broker began, when it was seen last, whether it stopped in order.',
  bound: { rowsFor: 'each of the newest 50 runs' },
  shape: z.object({ run: z.string(), startedAt: time, seenAt: time }),
});

export const BROKER_RUN_ORDER = defineNamespace<readonly string[]>({
  name: 'gateway/broker-run-order',
  owner: 'gateway',
  key: 'all',
  value: 'readonly string[]',
  description: 'The runs of the broker that are kept, the newest first.',
  bound: { rowsFor: 'the installation' },
  shape: z.array(z.string()),
});

export const COMMAND_VIEWS = defineNamespace<CommandView>({
  name: 'gateway/commands',
  owner: 'gateway',
  key: 'device/command',
  value: 'CommandView',
  description: 'A command and what became of it.',
  bound: { stream: 'commands', isGrouped: true },
  shape: z.object({
    id: z.string(),
    device: z.string(),
    state: z.string(),
    history: z.array(z.object({ at: time })),
  }),
});

export const CONFIGURATION_VIEWS = defineNamespace<ConfigurationChange>({
  name: 'gateway/configurations',
  owner: 'gateway',
  key: 'device',
  value: 'ConfigurationChange',
  description: 'The configuration that a device shall have.',
  bound: { rowsFor: 'each device' },
  shape: z.object({ device: z.string(), at: time }),
});

export const CONFIGURATIONS_ORDERED = defineNamespace<string>({
  name: 'gateway/configurations-ordered',
  owner: 'gateway',
  key: 'device',
  value: 'string',
  description:
    'ETag of the configuration that was ordered last, empty when it was taken away; the view follows the journal.',
  bound: { rowsFor: 'each device' },
  shape: z.string(),
});

export const IDEMPOTENCY = defineNamespace<Done>({
  name: 'gateway/idempotency',
  owner: 'gateway',
  key: 'principal/key, as digests',
  value: 'Done',
  description: 'What a request with an idempotency key did, for a day.',
  bound: { until: 'a day has passed' },
  shape: z.object({ at: time, digest: z.string() }),
});
