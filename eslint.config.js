import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';

// Parsers of what comes from outside stand each behind one door with bounds; streams are named in one catalogue.
const IMPORTS = [
  {
    name: 'yaml',
    importNames: ['parse', 'parseDocument', 'parseAllDocuments'],
    message: 'What comes from outside has bounds: take parseYamlDocument (kernel).',
  },
  {
    name: '@nestjs/microservices',
    importNames: ['EventPattern', 'MessagePattern'],
    message: 'Streams are named in one catalogue: take FromStream (journal-transport).',
  },
];

const NAMESPACES = {
  name: '#libs/state',
  importNames: ['defineNamespace'],
  message: 'State has an owner: namespaces are declared in its file namespaces.ts.',
};

const HANDED_ON = {
  selector: ':matches(ExportAllDeclaration, ExportNamedDeclaration)[source.value=/namespaces(\\.js$|\\/)/]',
  message: "Rows of the state are their owner's: export a query over them.",
};

const RAW_WRITES = {
  selector: 'ObjectExpression > Property[key.name="namespace"]',
  message:
    'A row is written through its declared namespace: NAMESPACE.put(key, value) or NAMESPACE.remove(key).',
};

// A stored list whose places have a meaning has one file that knows them.
const ROWS = {
  name: '#libs/kernel',
  importNames: ['Row'],
  message: 'A stored list has its form in a file of its own: *-form.ts.',
};

const ROW_TYPES = {
  selector: 'TSTupleType:has(> *:nth-child(4))',
  message: 'A list whose places have a meaning belongs in a *-form.ts, and gives them names.',
};

const JOURNAL_READS = {
  selector:
    'CallExpression[callee.property.name=/^(read|readBackwards)$/]:matches([callee.object.name="journal"], [callee.object.property.name="journal"])',
  message: 'What is stored may be unreadable: read through a stage, follow, readPage or their like.',
};

export default tseslint.config(
  { ignores: ['dist/', 'data/', 'node_modules/', 'coverage/', 'apps/web/client/', '**/*.mjs', '**/*.cjs'] },
  ...tseslint.configs.strictTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
        extraFileExtensions: ['.svelte'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // A method of a port is async by contract: what it throws must reject.
      '@typescript-eslint/require-await': 'off',
      // Nest types its options as classes and takes plain objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // Ports read typed records: the caller names the type that it wrote.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // scripts/folders.spec.mjs counts those that are not TypeScript, and the files of a folder.
      'max-lines': ['error', 400],
      'no-restricted-imports': ['error', { paths: [...IMPORTS, NAMESPACES, ROWS] }],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is passed in: take a Clock (kernel).' },
        {
          object: 'Math',
          property: 'random',
          message: 'Randomness is passed in: take a seeded source (kernel).',
        },
        {
          object: 'JSON',
          property: 'parse',
          message: 'What comes from outside has bounds: take parseJson (kernel) or readJson (telemetry).',
        },
      ],
    },
  },
  {
    files: ['{apps,libs}/*/src/namespaces.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [...IMPORTS, ROWS] }] },
  },
  {
    files: ['apps/**/*.ts', 'libs/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', HANDED_ON, RAW_WRITES, ROW_TYPES, JOURNAL_READS] },
  },
  {
    files: ['{apps,libs}/**/*-form.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: [...IMPORTS, NAMESPACES] }],
      'no-restricted-syntax': ['error', HANDED_ON, RAW_WRITES, JOURNAL_READS],
    },
  },
  {
    files: ['libs/journal/**/*.ts', 'libs/journal-transport/src/shared-reads.ts'],
    rules: { 'no-restricted-syntax': ['error', HANDED_ON, RAW_WRITES, ROW_TYPES] },
  },
  {
    // What makes writes of namespaces.
    files: ['libs/state/src/namespace.ts', 'libs/journal-transport/src/stage-state.ts'],
    rules: { 'no-restricted-syntax': ['error', HANDED_ON, ROW_TYPES, JOURNAL_READS] },
  },
  {
    files: ['**/*.spec.ts', '**/*.e2e-spec.ts', '**/*.contract.ts', '**/*.fixture.ts', 'libs/testing/**'],
    rules: {
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // `@EventPattern<string>('x')` needs its type argument to compile beside a typed @Ctx() (TS1241).
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': 'off',
      'no-restricted-imports': 'off',
    },
  },
  {
    files: ['libs/journal-transport/src/from-stream.ts'],
    rules: { 'no-restricted-imports': 'off', '@typescript-eslint/no-unnecessary-type-arguments': 'off' },
  },
  {
    files: ['apps/web/**'],
    // A page has the clock of its browser, and reads what its own server sends.
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      // A Map that nobody watches is a Map; a member is named to be followed.
      'svelte/prefer-svelte-reactivity': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
    },
  },
  {
    // svelte-check looks at the types of markup.
    files: ['**/*.svelte'],
    ...tseslint.configs.disableTypeChecked,
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      'prefer-const': 'off',
      'svelte/prefer-const': ['error', { excludedRunes: ['$props', '$state'], destructuring: 'all' }],
      // Addresses go through `href`, which knows the public path.
      'svelte/no-navigation-without-resolve': 'off',
      'svelte/no-at-html-tags': 'error',
    },
  },
  { files: ['*.js'], ...tseslint.configs.disableTypeChecked },
);
