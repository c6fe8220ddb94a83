import { mappingLines } from './mapping';

describe('the lines that map a topic', () => {
  it('name the device where its maker writes it', () => {
    expect(mappingLines('tele/Tasmota-2F8183/SENSOR', undefined, 'udara-02')).toBe(
      'mappings:\n  - pattern: tele/{device}/SENSOR\n    codec: …\n    aliases: { tasmota-2f8183: udara-02 }',
    );
  });

  it('take the name that a mapping has read already', () => {
    expect(mappingLines('zigbee/Udara/0x1/state', 'udara', 'udara-02')).toContain(
      'pattern: zigbee/{device}/0x1/state',
    );
  });

  it('quote what YAML would read as something else', () => {
    expect(mappingLines('{x} #/a: b/SENSOR', undefined, 'udara-02')).toContain(
      'aliases: { "a: b": udara-02 }',
    );
  });
});
