import { z } from 'zod';
import { limit } from '../http/members.js';
import { after } from '../http/page.js';

/** Before which offsets the list goes on: of the messages, and of what was refused at the door. */
const places = z.tuple([z.int().min(0), z.int().min(0)]);

export const messagesQuery = z.strictObject({ after: after(places), limit: limit(20, 100) });
