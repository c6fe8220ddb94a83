import { defineNamespace } from '#libs/state';
import type { DeviceStates } from './device-states-form.js';
import type { Underway } from './underway.js';

export const STATES = defineNamespace<DeviceStates>({
  name: 'alerts/device-states',
  owner: 'alerts',
  key: 'device',
  value: 'DeviceStates',
  description: 'The state of every rule that a device moved.',
});

export const BEATS = defineNamespace<Underway>({
  name: 'alerts/beats',
  owner: 'alerts',
  key: 'shard',
  value: 'Underway',
  description: 'The beats of a shard that wait until what had arrived before them is judged.',
});
