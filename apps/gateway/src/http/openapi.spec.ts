import { commandBody } from '../commands/commands-request.js';
import { configurationBody } from '../configuration/configuration-request.js';
import { claimBody } from '../provisioning/claim-request.js';
import { openApiSchema } from './openapi.js';

describe('the schema of a body in OpenAPI', () => {
  it.each([
    ['a command', commandBody],
    ['a configuration', configurationBody],
    ['a claim', claimBody],
  ])('of %s refers to nothing that the document does not hold', (_name, schema) => {
    const described = JSON.stringify(openApiSchema(schema));
    expect(described).toContain('"type":"object"');
    expect(described).not.toMatch(/"\$(ref|defs|schema)"|"definitions"/);
  });
});
