import { StatedUnits, unitOfWord } from './stated-units.js';

describe('unitOfWord', () => {
  it.each([
    ['µg/m³', 'ug/m3'],
    ['μg / m3', 'ug/m3'],
    ['ug/m^3', 'ug/m3'],
    ['°C', 'degC'],
    ['Celsius', 'degC'],
    ['ºF', 'degF'],
    ['fahrenheit', 'degF'],
    ['%RH', '%'],
    ['PPB', 'ppb'],
  ])('knows %s', (word, unit) => {
    expect(unitOfWord(word)).toBe(unit);
  });

  it.each(['', 'furlong', 1, null, undefined, true, 'constructor'])('does not know %s', (word) => {
    expect(unitOfWord(word)).toBeUndefined();
  });
});

describe('StatedUnits', () => {
  const unitOf = (members: object, name = 'temperature', meaning?: 'follows') =>
    new StatedUnits(members as never).of(name, 'temperature', 'degC', meaning).unit;

  it.each([{}, { temperature_unit: null }, { battery_unit: 'V' }, { humidity_unit: '%' }, { units_sold: 3 }])(
    'leaves a value the unit of its maker where nothing is said of it: %j',
    (members) => {
      expect(unitOf(members)).toBe('degC');
    },
  );

  it.each([
    { unit: 'K' },
    { temperature_unit: 'F' },
    { TempUnit: 'f' },
    { temperatureUnit: 1 },
    { engUnit: 'degF' },
    { unit_of_measurement: '°F' },
    { unitText: 'warm' },
    { temperature_unit: 'C', unit: 'F' },
  ])('gives none where another is said: %j', (members) => {
    expect(unitOf(members)).toBeUndefined();
  });

  it('follows what is said where a value may be in any unit', () => {
    expect(unitOf({ temperature_unit: 'F' }, 'temperature_2', 'follows')).toBe('degF');
    expect(unitOf({ unit: 'furlong' }, 'temperature', 'follows')).toBeUndefined();
  });
});
