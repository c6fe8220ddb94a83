import { canonicalJson, parseYaml } from '#libs/kernel';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { alertEventOf, explanationOf, type AlertEvent, type StoredAlertEvent } from './alert-event.js';
import { sentenceOf } from './explanation.js';
import { RULE_KINDS } from './kinds/index.js';
import { kindNameOf, rulesFileSchema, ruleText, ruleView } from './rules.js';

const RULE = `
  - id: a
    title: { id: a, en: b }
    parameter: pm25
    raise: 100
    clear: 90
    for: 1h
    severity: info
`;
const parsed = (yaml: string) => parseYaml('rules.yaml', `rules:${yaml}`, rulesFileSchema).rules;

describe('rules.yaml', () => {
  it('refuses what the schema of the kind refuses, at its line, and two rules of one id', () => {
    expect(() => parsed(RULE.replace('clear: 90', 'clear: 120'))).toThrow(
      /rules\.yaml:6: rules\.0\.clear: clear must/,
    );
    expect(() => parsed(`${RULE}    rise: 3\n`)).toThrow(/rules\.yaml:9: rules\.0: Unrecognized key: "rise"/);
    expect(() => parsed(RULE + RULE)).toThrow(/rule ids must differ/);
  });

  it('is read as it comes with Pantau', () => {
    const { rules } = parseYaml('rules.yaml', readFileSync('config/rules.yaml', 'utf8'), rulesFileSchema);
    expect(rules.map(({ id }) => id)).toEqual(expect.arrayContaining(['pm25-tidak-sehat', 'pm25-berbahaya']));
  });

  it('names the kinds there are when it is told of another one', () => {
    expect(() => parsed(`${RULE}    kind: treshold\n`)).toThrow(
      /rules\.yaml:9: rules\.0\.kind: no kind of rule "treshold"; known: .*threshold.*Did you mean threshold\?/,
    );
    expect(() => parsed(`${RULE}    kind: toString\n`)).toThrow(/no kind of rule "toString"/);
  });

  it('is read as before kinds had names: the text of a rule, from which its version follows, is the same', () => {
    const [plain] = parsed(RULE);
    const [named] = parsed(`${RULE}    kind: threshold\n`);
    const text = canonicalJson({
      ...{ id: 'a', title: { id: 'a', en: 'b' }, parameter: 'pm25', raise: 100, clear: 90, for: 3_600_000 },
      ...{ severity: 'info', select: {}, direction: 'above', includeSuspect: false },
    });
    expect([ruleText(plain!), ruleText(named!)]).toEqual([text, text]);
    expect(createHash('sha256').update(text).digest('hex').slice(0, 12)).toBe('6d47f6caa5f2');
    expect(kindNameOf(plain!)).toBe('threshold');
    expect(ruleView(plain!)).toMatchObject({ id: 'a', kind: 'threshold', forMs: 3_600_000 });
    expect(ruleView(plain!)).not.toHaveProperty('for');
  });

  it.each(Object.entries(RULE_KINDS))('of kind %s names the same values in both languages', (_name, kind) => {
    const places = (text: string): readonly string[] => text.match(/\{\w+\}/g)?.toSorted() ?? [];
    for (const { id, en } of Object.values(kind.messages)) expect(places(en)).toEqual(places(id));
  });

  it('is not explained by a message that is not there, nor by one that lacks a value', () => {
    const messages = { rose: { id: 'naik ke {value}', en: 'rose to {value}' } };
    expect(() => sentenceOf({ message: 'fell', values: {} }, messages)).toThrow('no message "fell"');
    expect(() => sentenceOf({ message: 'rose', values: {} }, messages)).toThrow('no value "value"');
  });
});

describe('alertEventOf', () => {
  const head = {
    ...{ alert: 'a/udara-01/1', rule: 'a', ruleVersion: '0', title: { id: 'a', en: 'b' } },
    severity: 'info',
    ...{ at: 2, since: 1, value: 120.5 },
  } as const;
  const detail = { parameter: 'pm25', raise: 100, clear: 90, evidence: [{ ts: 1, value: 120 }] } as const;
  const place = { site: 'betung', device: 'udara-01' };
  const flat: StoredAlertEvent = { ...head, ...detail, ...place, kind: 'firing' };
  const event: AlertEvent = { ...head, kind: 'threshold', phase: 'firing', subject: place, detail };

  it('reads what was written while every rule was a threshold, and what is written now', () => {
    expect(alertEventOf(flat)).toEqual(event);
    expect(alertEventOf(event)).toBe(event);
  });

  it('is explained in both languages, and not at all where only another version knows the kind', () => {
    const { id, en, message, values } = explanationOf(alertEventOf(flat)) ?? {};
    expect(id).toBe(
      'PM2.5 bertahan melewati batas 100 µg/m³ (sejak 1 Jan 1970 07.00 WIB); nilainya 120,5 µg/m³.',
    );
    expect(en).toBe(
      'PM2.5 has stayed beyond the limit of 100 µg/m³ (since 1 Jan 1970 07:00 WIB); the value is 120.5 µg/m³.',
    );
    expect(message).toBe('threshold.firing');
    expect(values).toEqual({
      ...{ parameter: { parameter: 'pm25' }, limit: { number: 100, of: 'pm25' } },
      ...{ since: { at: 1 }, value: { number: 120.5, of: 'pm25' } },
    });
    expect(explanationOf({ ...event, kind: 'of-tomorrow' })).toBeUndefined();
  });

  it.each(Object.entries(RULE_KINDS))('of kind %s names the same values in both languages', (_name, kind) => {
    const places = (text: string): readonly string[] => text.match(/\{\w+\}/g)?.toSorted() ?? [];
    for (const { id, en } of Object.values(kind.messages)) expect(places(en)).toEqual(places(id));
  });

  it('is not explained by a message that is not there, nor by one that lacks a value', () => {
    const messages = { rose: { id: 'naik ke {value}', en: 'rose to {value}' } };
    expect(() => sentenceOf({ message: 'fell', values: {} }, messages)).toThrow('no message "fell"');
    expect(() => sentenceOf({ message: 'rose', values: {} }, messages)).toThrow('no value "value"');
  });
});
