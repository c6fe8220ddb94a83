import type { Spans } from '#libs/availability';
import { periodAt, PERIOD_UNITS, type PeriodUnit } from '#libs/indicators';
import { compareTexts, DAY, HOUR, type UtcMillis } from '#libs/kernel';
import fc from 'fast-check';
import { newestFigures, type FigureCursor, type FigureSeries } from './figures.js';

const T = Date.UTC(2026, 0, 30);

interface Given {
  readonly indicator: string;
  readonly subject: string;
  readonly unit: PeriodUnit;
  readonly spans: Spans;
}

/** In their order, and how many were asked for their time. */
function asked(given: readonly Given[]): { readonly series: FigureSeries[]; readonly count: () => number } {
  let count = 0;
  const series = given
    .toSorted((a, b) => compareTexts(a.indicator, b.indicator) || compareTexts(a.subject, b.subject))
    .map(({ spans, ...rest }) => ({
      ...rest,
      spans: async () => {
        count++;
        return spans;
      },
    }));
  return { series, count: () => count };
}

/** All of them, by going through every period. */
function allOf(given: readonly Given[], before: UtcMillis): FigureCursor[] {
  const figures = given.flatMap(({ unit, spans, indicator, subject }) => {
    const periods = new Map<string, UtcMillis>();
    for (const { from, to } of spans)
      for (let at = from; at < to; at = periodAt(unit, at).to)
        periods.set(periodAt(unit, at).name, periodAt(unit, at).from);
    return [...periods]
      .filter(([, begin]) => begin < before)
      .map(([period, begin]) => ({ begin, period, indicator, subject }));
  });
  return figures
    .sort(
      (a, b) =>
        b.begin - a.begin || compareTexts(a.indicator, b.indicator) || compareTexts(a.subject, b.subject),
    )
    .map(({ period, indicator, subject }) => ({ period, indicator, subject }));
}

const span = fc
  .tuple(fc.integer({ min: 0, max: 60 * 24 }), fc.integer({ min: 1, max: 60 }))
  .map(([begin, hours]) => ({ from: T - begin * HOUR, to: T - begin * HOUR + hours * HOUR - 1 }));
const spansOf = fc
  .array(span, { maxLength: 3 })
  .map((spans) =>
    spans.toSorted((a, b) => a.from - b.from).filter((one, i, all) => i === 0 || one.from > all[i - 1]!.to),
  );

describe('the newest figures', () => {
  it('are all that there are, in their order, in pages of any size', async () => {
    const given = fc.uniqueArray(
      fc.record({
        indicator: fc.constantFrom('a', 'b', 'c'),
        subject: fc.constantFrom('s', 't', 'u', 'v'),
        spans: spansOf,
      }),
      { selector: ({ indicator, subject }) => `${indicator}/${subject}`, maxLength: 6 },
    );
    const units = fc.tuple(...['a', 'b', 'c'].map(() => fc.constantFrom(...PERIOD_UNITS)));
    const before = fc.constantFrom(Infinity, T, T - 10 * DAY, T + 3 * HOUR);
    await fc.assert(
      fc.asyncProperty(
        given,
        units,
        fc.integer({ min: 1, max: 9 }),
        before,
        async (some, unit, limit, end) => {
          const known = some.map((one) => ({ ...one, unit: unit['abc'.indexOf(one.indicator)]! }));
          const found: FigureCursor[] = [];
          let after: FigureCursor | undefined;
          do {
            const page = await newestFigures(asked(known).series, {
              ...{ before: end, limit },
              ...(after === undefined ? {} : { after }),
            });
            found.push(...page.slice(0, limit));
            after = page.length > limit ? page[limit - 1] : undefined;
          } while (after !== undefined);
          expect(found).toEqual(allOf(known, end));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('ask the series of a page for their time, and no others', async () => {
    const given = Array.from({ length: 1_000 }, (_, i) => ({
      indicator: i % 2 === 0 ? 'a' : 'b',
      subject: `d-${String(i).padStart(4, '0')}`,
      unit: 'day' as const,
      spans: [{ from: T - 100 * DAY, to: T }],
    }));
    const before = T + 1;
    const { series, count } = asked(given);
    const page = await newestFigures(series, { before, limit: 5 });
    expect([page.length, count()]).toEqual([6, 6]);
    const next = asked(given);
    // The last of a period, and the first of the one before.
    const after = { period: periodAt('day', T).name, indicator: 'b', subject: 'd-0995' };
    const rest = await newestFigures(next.series, { before, after, limit: 5 });
    expect(rest.map(({ subject }) => subject)).toEqual([
      ...['d-0997', 'd-0999'],
      ...['d-0000', 'd-0002', 'd-0004', 'd-0006'],
    ]);
    expect(next.count()).toBe(6);
  });
});
