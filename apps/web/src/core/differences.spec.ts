import { differencesOf } from './differences';

describe('what somebody else changed', () => {
  it('is each member that is new, gone or another', () => {
    const before = { name: 'Betung', district: 'Betung', latitude: -2.8 };
    expect(differencesOf(before, { name: 'Betung', latitude: -2.9, longitude: 104 })).toEqual([
      { member: 'district', before: 'Betung', now: undefined },
      { member: 'latitude', before: -2.8, now: -2.9 },
      { member: 'longitude', before: undefined, now: 104 },
    ]);
  });

  it('is nothing where all is the same, also lists', () => {
    expect(differencesOf({ speaksFor: ['a', 'b'] }, { speaksFor: ['a', 'b'] })).toEqual([]);
  });
});
