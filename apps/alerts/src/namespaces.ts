import { defineNamespace } from '#libs/state';
import type { DeviceStates } from './device-states-form.js';

export const STATES = defineNamespace<DeviceStates>({
  name: 'alerts/device-states',
  owner: 'alerts',
  key: 'device',
  value: 'DeviceStates',
  description: 'The state of every rule that a device moved.',
});
