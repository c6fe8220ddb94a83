import { mappedOf, mappingLines, nameIn } from './mapping';

const linesOf = (topic: string, called: string | undefined, codec = 'tasmota'): string => {
  const { pattern, name } = mappedOf(topic, called);
  return mappingLines(pattern, codec, name, 'udara-02');
};

describe('the lines that map a topic', () => {
  it('name the device where its maker writes it', () => {
    expect(linesOf('tele/Tasmota-2F8183/SENSOR', undefined)).toBe(
      'mappings:\n  - pattern: tele/{device}/SENSOR\n    codec: tasmota\n    aliases: { tasmota-2f8183: udara-02 }',
    );
  });

  it('take the name that a mapping has read already, and leave a codec open that nobody chose', () => {
    expect(linesOf('zigbee/Udara/0x1/state', 'udara', '')).toBe(
      'mappings:\n  - pattern: zigbee/{device}/0x1/state\n    codec: …\n    aliases: { udara: udara-02 }',
    );
  });

  it('quote what YAML would read as something else', () => {
    expect(linesOf('{x} #/a: b/SENSOR', undefined)).toContain('aliases: { "a: b": udara-02 }');
  });

  it('name the device themselves where the topic does not', () => {
    expect(nameIn('frigate/stats', 'frigate/stats')).toBeUndefined();
    expect(mappingLines('frigate/stats', 'frigate', undefined, 'nvr-01')).toContain('    device: nvr-01');
    expect(nameIn('tele/{device}/SENSOR', 'tele/Gudang/SENSOR')).toBe('gudang');
  });
});
