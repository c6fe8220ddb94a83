import { forgetAccountDays } from '#libs/journal-transport';
import { LocalAccountQueries } from '#libs/journal-transport-state';
import { DAY, MINUTE, SECOND } from '#libs/kernel';
import { ACCOUNT_DAYS } from '#namespaces/journal-transport-state';
import { AccountFixture as Fixture, PM10, PM25, T } from './account.fixture.js';
import { accountOfDays, type AccountOfDay } from './account-of-days.js';

/** T is 07:00 of 2026-01-01 in the regency. */
const DAYS = ['2026-01-01', '2026-01-02'];
const MIDNIGHT = T + 17 * 60 * MINUTE;

async function days(f: Fixture, wanted: readonly string[] = DAYS): Promise<AccountOfDay[]> {
  return accountOfDays(f.journal, new LocalAccountQueries(f.state), wanted, f.now);
}

function addsUp({ figures, balanced }: AccountOfDay): void {
  const { received, ...places } = figures!.messages;
  expect(Object.values(places).reduce((sum, count) => sum + count, 0)).toBe(received);
  const { decoded, amended, written, refusedByStore, unwritten } = figures!.values;
  expect(written + refusedByStore + unwritten).toBe(decoded + amended);
  expect(balanced).toBe(true);
}

describe('the account by day', () => {
  it('has each message on the day on which it arrived, and adds up with what waits', async () => {
    await using f = await new Fixture().open();
    await f.send(4);
    for (let i = 0; i < 4; i++) await f.decode(i, i === 3 ? undefined : [PM25, PM10]);
    f.now = MIDNIGHT + MINUTE;
    await f.send(3);
    await f.decode(4, [PM25]);
    const [first, second] = await days(f);
    expect(first).toMatchObject({
      day: '2026-01-01',
      figures: {
        messages: { received: 4, becameReadings: 3, refused: 1, waiting: 0, unaccounted: 0 },
        values: { decoded: 6, written: 6, unwritten: 0 },
        refusals: { not_json: 1 },
      },
      ...{ appended: 4, notCounted: 0 },
    });
    expect(second).toMatchObject({
      figures: { messages: { received: 3, becameReadings: 1, waiting: 2 }, values: { decoded: 1 } },
      ...{ appended: 3, notCounted: 0 },
    });
    for (const one of [first!, second!]) addsUp(one);
    const [, , next] = await days(f, [...DAYS, '2026-01-03']);
    expect(next).toMatchObject({ figures: { messages: { received: 0 } }, appended: 0, balanced: true });
  });

  it('counts what came in before midnight and was appended after it on the day before, and still agrees with the journal', async () => {
    await using f = await new Fixture().open();
    f.now = MIDNIGHT + SECOND;
    await f.send(3);
    await f.decode(0, [PM25], true, MIDNIGHT - 1);
    await f.decode(1, undefined, true, MIDNIGHT - 1);
    await f.decode(2, [PM25], true, MIDNIGHT);
    const found = await days(f);
    expect(found).toMatchObject([
      { figures: { messages: { received: 2, refused: 1 } }, appended: 0, notCounted: 0 },
      { figures: { messages: { received: 1 } }, appended: 3, notCounted: 0 },
    ]);
    for (const one of found) addsUp(one);
  });

  it('counts nothing twice that is read again, nor anything of a commit that was not made', async () => {
    await using f = await new Fixture().open();
    await f.send(3);
    await f.decode(0, [PM25]);
    await f.decode(1, undefined);
    const before = await days(f);
    await f.restart();
    expect(await days(f)).toEqual(before);
    await f.journal.seek('ingest', 'uplink', 0, 1);
    await f.decode(1, undefined);
    await f.decode(2, [PM25]);
    const [day] = await days(f);
    expect(day).toMatchObject({ figures: { messages: { received: 3, becameReadings: 2, refused: 1 } } });
    expect(day!.balanced).toBe(true);
  });

  it('still knows what became of messages that retention has taken', async () => {
    await using f = await new Fixture().open();
    await f.send(2);
    for (let i = 0; i < 2; i++) await f.decode(i, [PM25]);
    f.now = T + 3 * DAY;
    await f.send(1);
    await f.journal.retain('uplink', { maxAge: DAY });
    const [first] = await days(f);
    expect(first).toMatchObject({ figures: { messages: { received: 2 } }, appended: null, notCounted: null });
    addsUp(first!);
  });

  it('counts of a data folder of before the days that began since, and says so of the others', async () => {
    await using f = await new Fixture().open();
    await f.send(2);
    for (let i = 0; i < 2; i++) await f.decode(i, [PM25]);
    await f.asBeforeDays();
    await f.send(1);
    await f.decode(2, [PM25]);
    f.now = MIDNIGHT + MINUTE;
    await f.send(2);
    for (let i = 3; i < 5; i++) await f.decode(i, [PM25]);
    const [first, second] = await days(f);
    expect(first).toEqual({ day: DAYS[0], figures: null, appended: 3, notCounted: null, balanced: null });
    expect(second).toMatchObject({ figures: { messages: { received: 2 } }, appended: 2 });
    addsUp(second!);
  });

  it('notices a message without a place, and a value without one', async () => {
    for (const stage of ['ingest', 'writer'] as const) {
      await using f = await new Fixture().open();
      await f.send(2);
      await f.decode(0, [PM25]);
      const rows = await f.state.list(ACCOUNT_DAYS);
      await f.decode(1, [PM25]);
      const [key, row] = rows
        .map(({ key, value }) => [key, value] as const)
        .find(([key]) => key.includes(stage))!;
      await f.state.write([ACCOUNT_DAYS.put(key, row)]);
      expect(await days(f, [DAYS[0]!])).toMatchObject([{ balanced: false }]);
    }
  });

  it('is kept for 400 days', async () => {
    await using f = await new Fixture().open();
    await f.send(1);
    await f.decode(0, [PM25]);
    expect(await forgetAccountDays(f.state, T + 400 * DAY)).toBe(0);
    expect(await days(f)).toMatchObject([{ balanced: true }, { balanced: true }]);
    expect(await forgetAccountDays(f.state, T + 401 * DAY)).toBe(2);
    f.now = T + 401 * DAY;
    expect(await days(f)).toMatchObject([{ figures: null }, { figures: { messages: { received: 0 } } }]);
  });
});
