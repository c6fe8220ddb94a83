import { mappedOf, nameIn } from './mapping';

describe('the mapping that a topic suggests', () => {
  it('names the device where its maker writes it', () =>
    expect(mappedOf('tele/Tasmota-2F8183/SENSOR', undefined)).toEqual({
      ...{ pattern: 'tele/{device}/SENSOR', name: 'tasmota-2f8183' },
    }));

  it('takes the name that a mapping has read already', () =>
    expect(mappedOf('zigbee/Udara/0x1/state', 'udara')).toEqual({
      ...{ pattern: 'zigbee/{device}/0x1/state', name: 'udara' },
    }));

  it('finds no name where the pattern has no place for one', () => {
    expect(nameIn('frigate/stats', 'frigate/stats')).toBeUndefined();
    expect(nameIn('tele/{device}/SENSOR', 'tele/Gudang/SENSOR')).toBe('gudang');
  });
});
