import { LmdbStateStore } from '#libs/engine-lmdb';
import { temporaryFolder } from '#libs/testing';
import { DeviceCredentials } from '../device-credentials.js';
import { DevicePasswords, type PasswordVerdict } from './device-passwords.js';
import { DeviceTokens } from '../device-tokens.js';

const ADDRESS = '192.0.2.1';
const clock = { now: () => 1_700_000_000_000 };

describe('DevicePasswords', () => {
  it('lets in who knows, whatever was guessed before, and takes the right password of nobody for a wrong one', async () => {
    using folder = temporaryFolder('identity');
    const state = LmdbStateStore.open(folder.path);
    const credentials = new DeviceCredentials(state, clock);
    const tokens = new DeviceTokens(state, credentials, clock);
    const passwords = new DevicePasswords({ credentials, tokens, clock }, { perSecond: 1, burst: 7 });
    const check = (name: string, password: string | undefined, isSomebody = true): Promise<PasswordVerdict> =>
      passwords.check(name, password, ADDRESS, async () => isSomebody);

    const password = await credentials.issue('udara-01');
    expect(await check('udara-01', password)).toBe('right');
    expect(await check('udara-01', password, false)).toBe('wrong');
    for (const wrong of [undefined, '', `${password}x`, 'a.b.c'])
      expect(await check('udara-01', wrong)).toBe('wrong');
    // Five wrong ones for a name, seven of an address.
    expect(await check('udara-01', 'guess')).toBe('name_waits');
    for (const name of ['udara-02', 'udara-03']) expect(await check(name, 'guess')).toBe('wrong');
    expect(await check('udara-04', 'guess')).toBe('address_waits');
    expect(await check('udara-01', password)).toBe('right');
    expect(await check('udara-01', await tokens.issue('udara-01', 60_000))).toBe('right');
    await state.close();
  });
});
