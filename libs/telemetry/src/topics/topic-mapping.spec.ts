import { patternFault, TopicMappings } from './topic-mapping.js';

describe('patternFault', () => {
  it.each(['tele/{device}/SENSOR', '{device}/events/rpc', 'frigate/{camera}/status/{role}', 'a/b'])(
    'takes %s',
    (pattern) => expect(patternFault(pattern)).toBeUndefined(),
  );

  it.each([
    ['', /outside/],
    ['pantau/v1/{site}', /outside/],
    ['$SYS/{device}', /outside/],
    ['tele/+/SENSOR', /named part/],
    ['tele/#', /named part/],
    ['tele/x{device}/SENSOR', /named part/],
    ['tele/{Device}/SENSOR', /named part/],
    ['{device}/{device}', /once/],
  ])('refuses "%s"', (pattern, fault) => expect(patternFault(pattern)).toMatch(fault));
});

describe('TopicMappings', () => {
  const mappings = new TopicMappings([
    { pattern: 'tele/{device}/SENSOR', codec: 'tasmota', aliases: { 'sds011-2f8183': 'udara-01' } },
    { pattern: 'tele/{device}/{message}', codec: 'tasmota' },
    { pattern: 'frigate/stats', codec: 'frigate', device: 'nvr-01' },
    { pattern: 'frigate/available', codec: 'frigate' },
  ]);

  it.each([
    ['tele/udara-02/SENSOR', 'udara-02', { device: 'udara-02' }],
    ['tele/UDARA-02/SENSOR', 'udara-02', { device: 'UDARA-02' }],
    ['tele/SDS011-2F8183/SENSOR', 'udara-01', { device: 'SDS011-2F8183' }],
    ['tele/toString/STATE', 'tostring', { device: 'toString', message: 'STATE' }],
    ['frigate/stats', 'nvr-01', {}],
    ['frigate/available', undefined, {}],
  ])('reads %s', (topic, device, parts) => {
    expect(mappings.match(topic)).toMatchObject({ device, parts });
  });

  it.each(['tele//SENSOR', 'tele/a', 'tele/a/b/c', 'other', ''])('does not read "%s"', (topic) =>
    expect(mappings.match(topic)).toBeUndefined(),
  );

  it('tries the mappings in their order', () =>
    expect(mappings.match('tele/a/SENSOR')?.mapping.pattern).toBe('tele/{device}/SENSOR'));

  it('adds the names of one that people made to that of the configuration of the same pattern and codec, and changes none', () => {
    const [pattern, codec] = ['tele/{device}/SENSOR', 'tasmota'];
    const all = new TopicMappings([
      { pattern, codec, aliases: { teras: 'udara-01' } },
      { id: 'a', pattern, codec, aliases: { teras: 'udara-09', beranda: 'udara-02' } },
      { id: 'b', pattern, codec: 'ruuvi', aliases: { gudang: 'udara-03' } },
      { id: 'c', pattern: 'x/{device}', codec },
    ]);
    const deviceOf = (topic: string): string | undefined => all.match(topic)?.device;
    expect(['teras', 'beranda', 'gudang'].map((name) => deviceOf(`tele/${name}/SENSOR`))).toEqual([
      ...['udara-01', 'udara-02', 'gudang'],
    ]);
    expect(deviceOf('x/udara-04')).toBe('udara-04');
  });
});
