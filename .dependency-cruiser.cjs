/** The architecture as rules (docs/architecture.md): a broken rule fails `npm run lint`. */
const PURE = '^libs/(kernel|telemetry|air-quality|availability|quality-control|alerting|indicators|streams)/';
const TESTS = '([.](spec|e2e-spec|contract|fixture)[.]ts$)|^libs/testing/';
/** Modules that Vite makes while it builds the page. */
const MADE_BY_THE_BUILD = '^virtual:';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-libraries-do-no-io',
      comment: 'Pure libraries hold the knowledge of the field: no framework, no I/O, no engine.',
      severity: 'error',
      from: { path: PURE, pathNot: TESTS },
      to: {
        path: '^(node:)?(fs|net|http|https|tls|child_process|worker_threads|os)($|/)|node_modules/(@nestjs|mqtt|aedes|@influxdata|@duckdb|lmdb|pino|fastify)/',
      },
    },
    {
      name: 'pure-libraries-import-pure-libraries',
      severity: 'error',
      from: { path: PURE, pathNot: TESTS },
      to: { path: '^(libs|apps|devices|simulators)/', pathNot: PURE },
    },
    {
      name: 'kernel-imports-nothing',
      severity: 'error',
      from: { path: '^libs/kernel/', pathNot: TESTS },
      to: { path: '^libs/', pathNot: '^libs/kernel/' },
    },
    {
      name: 'libs-never-import-apps',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|devices|simulators)/' },
    },
    {
      name: 'apps-never-import-apps',
      comment: 'Stages meet in the journal. Only apps/pantau composes them.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/pantau/' },
      to: { path: '^(apps|simulators)/', pathNot: '^apps/$1/' },
    },
    {
      name: 'page-knows-the-api-alone',
      comment: 'What the page shows comes over the documented API, as for any program.',
      severity: 'error',
      // The guides of makers are read when the page is built.
      from: { path: '^apps/web/', pathNot: '[.]spec[.](ts|mjs)$|^apps/web/guides[.]mjs$' },
      to: {
        path: '^(apps|libs|devices|simulators)/|^(node:)?(fs|net|http|os|path)($|/)',
        pathNot: '^apps/web/',
      },
    },
    {
      name: 'nobody-imports-the-page',
      severity: 'error',
      from: { pathNot: '^apps/web/' },
      to: { path: '^apps/web/' },
    },
    {
      name: 'simulators-and-devices-stand-alone',
      comment: 'A simulator that shares code with Pantau shares the mistakes it should reveal.',
      severity: 'error',
      from: { path: '^(devices|simulators)/', pathNot: TESTS },
      to: { path: '^(libs|apps)/', pathNot: '^libs/(kernel|telemetry)/' },
    },
    {
      name: 'through-the-barrel',
      severity: 'error',
      from: { path: '^(apps|libs|devices|simulators)/([^/]+)/' },
      to: {
        path: '^(apps|libs|simulators)/([^/]+)/src/(?!index[.]ts$)',
        pathNot:
          '^$1/$2/|^apps/[^/]+/src/stage[.]ts$|^libs/[^/]+/src/namespaces[.]ts$|[.](contract|fixture)[.]ts$',
      },
    },
    {
      name: 'state-has-an-owner',
      comment:
        "Rows of the state are their owner's: apps/<owner>, with libs/<owner> or libs/<owner>-state. Others ask a query that the owner's library exports. A test may plant rows.",
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/', pathNot: TESTS },
      to: { path: '/src/namespaces[.]ts$', pathNot: '^$1/$2/|^libs/$2(-state)?/' },
    },
    {
      name: 'namespaces-stay-inside',
      comment: 'A namespace that a barrel exports is read by everybody.',
      severity: 'error',
      from: { path: '/src/index[.]ts$' },
      to: { path: '/src/namespaces[.]ts$' },
    },
    {
      name: 'engines-only-from-the-composition',
      comment: 'Stages and ports know no engine: apps/pantau opens one and hands it on as the port.',
      severity: 'error',
      from: {
        path: '^(apps|libs|devices|simulators)/([^/]+)/',
        pathNot: `^apps/pantau/|${TESTS}`,
      },
      to: { path: '^libs/engine-[^/]+/', pathNot: '^$1/$2/' },
    },
    {
      name: 'drivers-only-in-engines',
      severity: 'error',
      from: { path: '^(apps|libs|devices|simulators)/', pathNot: `^libs/engine-[^/]+/|${TESTS}` },
      to: { path: 'node_modules/(lmdb|@duckdb|@influxdata)/' },
    },
    {
      name: 'testing-only-from-tests',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'declared-packages-only',
      severity: 'error',
      from: { path: '^(apps|libs|devices|simulators)/' },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
        pathNot: MADE_BY_THE_BUILD,
      },
    },
    {
      name: 'no-development-packages-at-run-time',
      severity: 'error',
      // The page is made of its packages when it is built.
      from: { path: '^(apps|libs|devices|simulators)/', pathNot: `^apps/web/|${TESTS}` },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: MADE_BY_THE_BUILD },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|apps/web/client)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
    },
  },
};
