import { z } from 'zod';
import { PantauError } from '#libs/kernel';
import { checked } from './checked.js';
import { inLanguage, languageOf } from './language.js';
import { problemOf } from './problem.js';

describe('the language of an answer', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['fr, de;q=0.5', undefined],
    ['id', 'id'],
    ['en-GB,en;q=0.9,id;q=0.8', 'en'],
    ['fr, en;q=0.2, id-ID;q=0.7', 'id'],
    ['id;q=0', undefined],
    ['id;q=x, EN', 'en'],
  ] as const)('of whoever sends %p is %p', (header, expected) => {
    expect(languageOf(header)).toBe(expected);
  });

  it('is taken from what is written in both', () => {
    expect(inLanguage('Tidak ditemukan / Not found', 'id')).toBe('Tidak ditemukan');
    expect(inLanguage('Perlu a / b. / Needs a / b.', 'en')).toBe('Needs a / b.');
    expect(inLanguage('Perlu a / b. / Needs a / b.', 'id')).toBe('Perlu a / b.');
    expect(inLanguage('no slash', 'id')).toBe('no slash');
  });

  it('is that of what is wrong with a member, and of the title', () => {
    const schema = z.strictObject({ limit: z.number().max(5), at: z.string() });
    const problem = (language: 'id' | 'en' | undefined) => {
      try {
        return checked(schema, { limit: 7, at: 3, x: 1 });
      } catch (error) {
        return problemOf(error, '/x', language);
      }
    };
    const [id, en, both] = [problem('id'), problem('en'), problem(undefined)] as unknown as {
      title: string;
      detail: string;
      errors: { field: string; message: string }[];
    }[];
    expect(en!.title).toBe('Bad request');
    expect(id!.title).toBe('Permintaan tidak sah');
    expect(both!.title).toBe('Permintaan tidak sah / Bad request');
    expect(en!.errors.map(({ field }) => field)).toEqual(id!.errors.map(({ field }) => field));
    for (const [i, { message }] of id!.errors.entries()) expect(message).not.toBe(en!.errors[i]!.message);
    expect(id!.detail).toContain(id!.errors[0]!.message);
    expect(JSON.stringify([id, en, both])).not.toContain('indonesian');
    const named = new PantauError('DEVICE_UNKNOWN', 'no device x.', {
      fields: [{ field: 'device', message: 'no device x; did you mean y?' }],
    });
    expect(problemOf(named, '/', 'id')).toMatchObject({
      detail: 'device: tidak ada perangkat x; maksudnya y?',
      errors: [{ field: 'device', message: 'tidak ada perangkat x; maksudnya y?' }],
    });
    // Without words of its own in Indonesian a member does not replace what the error says.
    const untranslated = new PantauError('CHANGED_MEANWHILE', 'somebody changed it.', {
      fields: [...named.fields!, { field: 'If-Match', message: 'no such words' }],
    });
    expect(problemOf(untranslated, '/', 'id')).toMatchObject({
      detail: 'CHANGED_MEANWHILE: somebody changed it.',
      errors: [{ message: expect.stringContaining('perangkat') }, { message: 'no such words' }],
    });
  });
});
