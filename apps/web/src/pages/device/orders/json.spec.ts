import type { Json } from '../../../../client';
import { isJsonObject, typedJson } from './json';

describe('JSON that somebody typed', () => {
  it.each([
    ['', { value: undefined }],
    [' \n', { value: undefined }],
    ['{"a": 1}', { value: { a: 1 } }],
    ['null', { value: null }],
    ['{a: 1}', { fault: expect.stringContaining('a') }],
    ['{"a": 1', { fault: expect.any(String) }],
  ])('%j is read, or says what is wrong', (text, expected) => {
    expect(typedJson(text)).toEqual(expected);
  });

  it('is an object when it has members', () => {
    expect([{}, { a: 1 }].every((value) => isJsonObject(value as Json))).toBe(true);
    expect([undefined, null, 1, 'a', [1]].some((value) => isJsonObject(value))).toBe(false);
  });
});
