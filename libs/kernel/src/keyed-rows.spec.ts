import fc from 'fast-check';
import { KeyedRows } from './keyed-rows.js';

describe('KeyedRows', () => {
  it('gives back the rows of each key as they came, and nothing of the others', () => {
    const rows = fc.array(
      fc.tuple(
        fc.constantFrom('a', 'b', 'c'),
        fc.array(fc.oneof(fc.integer(), fc.double()), { maxLength: 3 }),
      ),
    );
    fc.assert(
      fc.property(rows, (sent) => {
        const gathered = new KeyedRows();
        for (const [key, row] of sent) gathered.add(key, row);
        expect(gathered.keys()).toEqual([...new Set(sent.map(([key]) => key))]);
        for (const key of ['a', 'b', 'c'])
          expect(gathered.of(key)).toEqual(sent.flatMap(([of, row]) => (of === key ? row : [])));
      }),
    );
  });
});
