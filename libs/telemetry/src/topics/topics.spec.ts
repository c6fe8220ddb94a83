import fc from 'fast-check';
import { formatTopic, parseTopic, TOPIC_KINDS } from './topics.js';

describe('topics', () => {
  it('reads what it writes', () => {
    const id = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
    fc.assert(
      fc.property(id, id, fc.constantFrom(...TOPIC_KINDS), (site, device, kind) => {
        expect(parseTopic(formatTopic({ site, device, kind }))).toEqual({ site, device, kind });
      }),
    );
  });

  it.each([
    '',
    'pantau/v1',
    'pantau/v1/s/d',
    'pantau/v1/s/d/unknown',
    'pantau/v1/s/d/telemetry/more',
    'pantau/v2/s/d/telemetry',
    'pantau/v1/S/d/telemetry',
    'pantau/v1//d/telemetry',
    'pantau/v1/s/-d/telemetry',
    '/pantau/v1/s/d/telemetry',
  ])('refuses %p', (topic) => {
    expect(parseTopic(topic)).toBeUndefined();
  });
});
