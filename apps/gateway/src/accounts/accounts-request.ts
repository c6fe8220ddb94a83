import { passwordSchema, userNameSchema } from '#libs/identity';
import { z } from 'zod';

/** What somebody types may be anything; only its size is bounded. */
const typed = z.string().min(1).max(200);

const code = z.string().min(6).max(40).describe('Of the app, or a recovery code');

export const signInBody = z.strictObject({
  name: typed,
  password: typed,
  code: code.optional().describe('Of the second factor, by who has one'),
});
export const confirmationBody = signInBody.omit({ name: true });
export const codeBody = z.strictObject({ code });
export const passwordBody = z.strictObject({ current: typed, password: passwordSchema });
export const linkBody = z.strictObject({
  link: typed.describe('What stands behind # in the link'),
  name: userNameSchema.optional().describe('Of the first administrator; others have a name already'),
  password: passwordSchema,
});
