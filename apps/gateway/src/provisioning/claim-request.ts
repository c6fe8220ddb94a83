import { deviceSchema } from '#libs/identity';
import { MINUTE } from '#libs/kernel';
import { duration } from '#libs/kernel';
import { z } from 'zod';

const { id: deviceId, kind, name } = deviceSchema.shape;
export const claimBody = z.strictObject({
  key: z.string().max(200).describe('Provisioning key of the site'),
  id: deviceId.describe('The id that the device wants; its user name and client id'),
  kind,
  name: name.optional(),
  interval: duration.default(MINUTE).describe('How often it will report'),
});
