import { iso } from './iso.js';

describe('iso', () => {
  it('shows instants as ISO 8601, and leaves what people wrote as it is', () => {
    const params = { at: 5, until: [{ ts: 7 }] };
    expect(iso({ at: 0, command: { params, expiresAt: 1_000 }, configuration: { since: 3 } })).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      command: { params, expiresAt: '1970-01-01T00:00:01.000Z' },
      configuration: { since: 3 },
    });
  });
});
