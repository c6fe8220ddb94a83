import type { StateStore } from '#libs/state';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { SECRETS } from '../namespaces.js';

/** `{prefix}_{id}_{secret}`: the id finds the row, which holds a digest of the secret. 256 random bits need no slow hash. */
export interface IssuedSecret {
  readonly id: string;
  readonly text: string;
  readonly digest: Buffer;
}

export function issueSecret(prefix: string): IssuedSecret {
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { id, text: `${prefix}_${id}_${secret}`, digest: digestOf(secret) };
}

/** @returns undefined for what has another form */
export function parseSecret(prefix: string, text: string): { id: string; secret: string } | undefined {
  const [, head, id, secret] = /^([a-z]+)_([a-f0-9]{16})_([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  return head === prefix && id !== undefined && secret !== undefined ? { id, secret } : undefined;
}

export function isSecret(digest: Uint8Array, secret: string): boolean {
  return timingSafeEqual(digest, digestOf(secret));
}

/** SHA-256 of a secret, or of what is compared like one. */
export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Loaded where something is signed or verified: most threads and commands never do. */
export const jose = () => import('jose');

/** What this installation signs with, one for each audience; made when it is first asked for. */
export async function signingSecret(state: StateStore, audience: string): Promise<Uint8Array> {
  const known = await state.get(SECRETS, audience);
  if (known !== undefined) return known;
  // In the place of one that cannot be read, too: what that one signed is valid no more.
  await state.writeIf([SECRETS.seen(audience, undefined)], [SECRETS.put(audience, randomBytes(32))]);
  return (await state.get(SECRETS, audience)) ?? signingSecret(state, audience);
}
