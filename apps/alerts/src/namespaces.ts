import { defineNamespace } from '#libs/state';
import { z } from 'zod';
import { isDeviceStates, type DeviceStates } from './device-states-form.js';
import type { Underway } from './underway.js';

const beat = { ts: z.number(), heardSince: z.number() };

export const STATES = defineNamespace<DeviceStates>({
  name: 'alerts/device-states',
  owner: 'alerts',
  key: 'device',
  value: 'DeviceStates',
  description: 'The state of every rule that a device moved.',
  bound: { rowsFor: 'each device' },
  shape: isDeviceStates,
});

export const BEATS = defineNamespace<Underway>({
  name: 'alerts/beats',
  owner: 'alerts',
  key: 'shard',
  value: 'Underway',
  description: 'The beats of a shard that wait until what had arrived before them is judged.',
  bound: { rowsFor: 'each shard' },
  shape: z.object({
    arriving: z.object({ ...beat, uplinks: z.array(z.number()) }).optional(),
    judging: z.object({ ...beat, readings: z.number() }).optional(),
  }),
});
