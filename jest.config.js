import { availableParallelism } from 'node:os';

const swc = {
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

/** Jest runs the TypeScript sources as ES modules; `--experimental-vm-modules` is in the npm script. */
export default {
  testEnvironment: 'node',
  roots: ['apps', 'libs', 'devices', 'simulators', 'scripts'].map((dir) => `<rootDir>/${dir}`),
  testMatch: ['**/*.spec.ts', '**/*.e2e-spec.ts', '**/*.spec.mjs'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^#libs/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^#contracts/([^/]+)$': '<rootDir>/libs/$1/src/$1.contract.ts',
    '^#apps/([^/]+)$': '<rootDir>/apps/$1/src/index.ts',
    '^#namespaces/([^/]+)$': '<rootDir>/libs/$1/src/namespaces.ts',
    '^#stages/([^/]+)$': '<rootDir>/apps/$1/src/stage.ts',
    '^#simulators/([^/]+)$': '<rootDir>/simulators/$1/src/index.ts',
    '^#devices/([^/]+)$': '<rootDir>/devices/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  setupFilesAfterEnv: ['<rootDir>/apps/pantau/src/e2e/described-answers.setup.fixture.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  reporters: ['default', '<rootDir>/scripts/jest-summary.mjs'],
  testTimeout: 60_000,
  // Suites wait more than they compute. On two cores Jest would run one at a time.
  maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
};
