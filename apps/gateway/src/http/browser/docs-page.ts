import type { FastifyInstance } from 'fastify';

const PAGE = '/api/docs';
/** As the page refers to it, below whatever path it is seen. */
export const PAGE_STYLES = './docs/page.css';

/** What Nest's page of the document has within itself. */
const STYLES = `html { box-sizing: border-box; overflow-y: scroll; }
*, *::before, *::after { box-sizing: inherit; }
body { margin: 0; background: #fafafa; }
.swagger-ui .topbar .download-url-wrapper { display: none; }
`;

/**
 * Lets the page of the document keep to the policy of the API, which allows no style within a page: those that it has are taken
 * out, and stand in a file of their own.
 */
export function serveDocsStyles(fastify: FastifyInstance): void {
  fastify.get(`${PAGE}/page.css`, (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLES));
  fastify.addHook('onSend', async ({ url }, reply, payload: unknown) => {
    const isPage = url.split('?')[0]?.replace(/\/$/, '') === PAGE;
    if (!isPage || typeof payload !== 'string') return payload;
    void reply.removeHeader('content-length');
    return payload.replace(/<style>[^]*?<\/style>/g, '').replace(/ style="[^"]*"/g, ' width="0" height="0"');
  });
}
