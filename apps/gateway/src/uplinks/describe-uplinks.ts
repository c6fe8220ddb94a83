import type { OpenAPIObject } from '@nestjs/swagger';

/** These routes are Fastify's own, so Nest does not describe them. */
export function describeUplinkRoutes(document: OpenAPIObject): OpenAPIObject {
  const device = { name: 'device', in: 'path' as const, required: true, schema: { type: 'string' as const } };
  const query = (name: string, description: string) => ({
    name,
    in: 'query' as const,
    required: false,
    description,
    schema: { type: 'string' as const },
  });
  const answers = { 202: { description: 'Tersimpan di jurnal / durable in the journal' } };
  const common = { tags: ['Perangkat / Devices'], security: [{ basic: [] }], responses: answers };
  document.components = {
    ...document.components,
    securitySchemes: { ...document.components?.securitySchemes, basic: { type: 'http', scheme: 'basic' } },
  };
  document.paths['/api/v1/uplinks/{device}'] = {
    post: {
      ...common,
      summary: 'Kiriman perangkat lewat HTTP / A message of a device over HTTP',
      parameters: [
        device,
        query('codec', 'Codec, when it is not Pantau’s own JSON'),
        query('kind', 'telemetry, …'),
      ],
      requestBody: { content: { 'application/json': {} } },
    },
  };
  document.paths['/api/v1/uplinks/{device}/batch'] = {
    post: {
      ...common,
      summary: 'Unggahan CSV pencatat luring / CSV upload of an offline logger, with a report by line',
      parameters: [
        device,
        query('utcOffset', 'Waktu tanpa zona / of times without a zone, such as +07:00'),
        query('decimal', 'Tanda desimal / decimal mark: comma, point; else as the file proves it'),
        query('order', 'any: baris tanpa urutan / lines in no order, whose times are right all the same'),
        query('dryRun', 'true: hanya menilai / only judge the file, and show what would be stored'),
      ],
      requestBody: { content: { 'text/csv': {} } },
      responses: {
        ...answers,
        200: { description: 'dryRun: yang akan disimpan / what would be stored' },
        400: {
          description:
            'Berkas tidak jelas, tidak satu baris pun diambil; problems menyebut baris, kolom, dan cara memperbaiki / not clear as a whole, nothing was taken; problems name line, column and remedy',
        },
      },
    },
  };
  return document;
}
