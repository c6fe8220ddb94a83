import { z } from 'zod';
import { commandBody } from '../commands/commands-request.js';
import { configurationBody } from '../configuration/configuration-request.js';
import { claimBody } from '../provisioning/claim-request.js';
import { instantText } from './answer.js';
import { openApiSchema } from './openapi.js';

describe('the schema of a body in OpenAPI', () => {
  it.each([
    ['a command', commandBody],
    ['a configuration', configurationBody],
    ['a claim', claimBody],
  ])('of %s defines everything that it refers to', (_name, schema) => {
    const described = openApiSchema(schema, 'input') as { $defs?: Readonly<Record<string, unknown>> };
    const text = JSON.stringify(described);
    expect(text).toContain('"type":"object"');
    for (const [, name = ''] of text.matchAll(/"#\/\$defs\/([^"]+)"/g))
      expect(Object.keys(described.$defs ?? {})).toContain(name);
  });

  it('leaves out what tells a reader nothing', () => {
    expect(openApiSchema(z.strictObject({ at: instantText, n: z.int() }), 'output')).toMatchObject({
      properties: { at: { type: 'string', format: 'date-time' }, n: { type: 'integer' } },
    });
    expect(
      JSON.stringify(openApiSchema(z.strictObject({ at: instantText, n: z.int() }), 'output')),
    ).not.toMatch(/pattern|minimum|maximum/);
  });
});
