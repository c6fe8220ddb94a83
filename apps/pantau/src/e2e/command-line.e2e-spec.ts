import 'reflect-metadata';
import { freePort, startProcess, temporaryFolder, waitUntil } from '#libs/testing';
import type { Command } from 'commander';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../program.js';
import { MAIN } from '../built.fixture.js';

/** Of a command that hangs; the slowest here ends after seconds. */
const LONGEST_MS = 60_000;
const STACK = /\n\s+at .+:\d+:\d+/;

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** An installation without a running Pantau. */
function installation(): Disposable & {
  readonly path: string;
  run(args: readonly string[], environment?: NodeJS.ProcessEnv, pipe?: 'open' | 'closed'): Promise<Outcome>;
} {
  const folder = temporaryFolder('command-line');
  const config = join(folder.path, 'pantau.yaml');
  writeFileSync(
    config,
    `data: ${folder.path}/data\nmqtt: { port: 0 }\nhttp: { port: 1 }\nmetrics: { port: false }\nlog: { level: warn }\n`,
  );
  writeFileSync(join(folder.path, 'sites.yaml'), '{}\n');
  writeFileSync(join(folder.path, 'rules.yaml'), 'rules: []\n');
  return {
    path: folder.path,
    async run(args, environment = {}, pipe = 'open') {
      const child = spawn(process.execPath, [MAIN, '--config', config, ...args], {
        cwd: folder.path,
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: LONGEST_MS,
        killSignal: 'SIGKILL',
      });
      let [out, err] = ['', ''];
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      if (pipe === 'closed') child.stdout.destroy();
      else child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      return { code, signal, out, err };
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

/** Every command that does something, with the words that call it. */
function commandsOf(command: Command, words: readonly string[] = []): [string, Command, readonly string[]][] {
  if (command.commands.length === 0) return [[words.join(' '), command, words]];
  return command.commands.flatMap((one) => commandsOf(one, [...words, one.name()]));
}

const COMMANDS = commandsOf(program);
const NONSENSE = 'No Such/Thing';

/** Its arguments and the options it cannot do without, with this value in every place, and with one option more. */
function call(
  command: Command,
  words: readonly string[],
  value: string,
  more: readonly string[] = [],
): string[] {
  const args = command.registeredArguments.map(() => value);
  const options = command.options
    .filter(({ mandatory, long }) => mandatory && long !== more[0])
    .flatMap(({ long }) => [long ?? '', value]);
  return [...words, ...args, ...options, ...more];
}

/** Of a command whose output nobody reads. */
async function expectNoStack(
  pantau: ReturnType<typeof installation>,
  args: readonly string[],
): Promise<void> {
  const { signal, err } = await pantau.run(args, {}, 'closed');
  expect([args, signal]).toEqual([args, null]);
  expect(err).not.toMatch(STACK);
  expect(err).not.toContain('EPIPE');
}

describe('the command line', () => {
  it('knows its version', async () => {
    using pantau = installation();
    expect(await pantau.run(['--version'])).toMatchObject({ code: 0, out: '0.1.0\n', err: '' });
  });

  // Whoever lists devices in a shell loop waits for it every time.
  it('loads no framework for a command that needs none', async () => {
    using pantau = installation();
    const listing = join(pantau.path, 'loaded.mjs');
    writeFileSync(
      listing,
      `import { createRequire } from 'node:module';
      const { cache } = createRequire(import.meta.url);
      process.on('exit', () => process.stderr.write(Object.keys(cache).join('\\n')));`,
    );
    for (const words of [['--help'], ['site', 'list']]) {
      const { code, err } = await pantau.run(words, { NODE_OPTIONS: `--import=${listing}` });
      expect(code).toBe(0);
      expect(err).toMatch(/node_modules.commander/);
      expect(err).not.toMatch(/node_modules.(@nestjs|rxjs|aedes|mqtt|prom-client|jose|openid-client)/);
    }
  });

  it('says which variable is wrong', async () => {
    using pantau = installation();
    const { code, err } = await pantau.run(['start'], { PANTAU_MQTT_PORT: 'abc' });
    expect(code).toBe(1);
    expect(err).toMatch(/PANTAU_MQTT_PORT \(mqtt\.port\): expected a whole number from 0 to 65535/);
  });

  it.each(['/proc/none/data', '/proc', MAIN])('ends when the data folder is %s', async (data) => {
    using pantau = installation();
    for (const words of [['start'], ['device', 'list']]) {
      const { code, err } = await pantau.run(words, { PANTAU_DATA: data });
      expect([code, err]).toEqual([1, expect.stringMatching(/^pantau: DATA_DIR_UNUSABLE: cannot open/)]);
    }
  });

  it('makes no site by a typing error, neither with a device nor with a list of them', async () => {
    using pantau = installation();
    expect((await pantau.run(['site', 'add', 'betung', '--name', 'Betung'])).code).toBe(0);
    const list = join(pantau.path, 'list.csv');
    writeFileSync(list, 'id,site\nudara-01,betung\nudara-02,betng\n');
    for (const words of [
      ['device', 'add', 'udara-01', '--site', 'betng'],
      ['device', 'import', list, '--credentials', join(pantau.path, 'import.json')],
      ['site', 'key', 'betng'],
    ])
      expect(await pantau.run(words)).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringMatching(/SITE_UNKNOWN: no site betng .*Did you mean betung\?.*pantau site add/),
      });
    expect((await pantau.run(['site', 'list'])).out).toBe('betung\tBetung\t–\n');
    expect((await pantau.run(['device', 'list'])).out).toBe('');
    expect((await pantau.run(['device', 'add', 'udara-01', '--site', 'betung'])).code).toBe(0);
  });

  it('takes how old readings may be, and corrects an interval also of days that are over', async () => {
    using pantau = installation();
    await pantau.run(['site', 'add', 'betung', '--name', 'Betung']);
    const add = ['device', 'add', 'udara-01', '--site', 'betung', '--max-age', '90d'];
    expect(await pantau.run(add)).toMatchObject({ code: 0 });
    const set = ['device', 'set', 'udara-01', '--interval', '1h', '--from', '2026-01-31T00:00:00+07:00'];
    expect(await pantau.run(set)).toMatchObject({
      code: 0,
      out: 'udara-01: selang / interval 3600s, sejak / since 2026-01-30T17:00:00.000Z\n',
    });
    expect(await pantau.run(['device', 'set', 'udara-01', '--interval', '1h'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing of udara-01 would change'),
    });
    const list = join(pantau.path, 'list.csv');
    writeFileSync(list, 'id,site,max_age\nudara-02,betung,soon\n');
    const load = ['device', 'import', list, '--credentials', join(pantau.path, 'import.json')];
    expect(await pantau.run(load)).toMatchObject({ code: 1, err: expect.stringContaining('max_age "soon"') });
  });

  it('maps topics, says at what a mapping does not fit, and leaves the configuration file what it says', async () => {
    using pantau = installation();
    await pantau.run(['site', 'add', 'betung', '--name', 'Betung']);
    await pantau.run(['device', 'add', 'udara-01', '--site', 'betung']);
    const set = ['mapping', 'set', 'pabrik', '--pattern', 'pabrik/{device}/data', '--codec'];
    const names = ['--alias', 'Gudang=udara-01', '--utc-offset', '+07:00'];
    expect(await pantau.run([...set, 'tasmota', ...names])).toMatchObject({
      code: 0,
      out: 'pabrik: berlaku / in force\n',
    });
    const line = 'pabrik\tpabrik/{device}/data\ttasmota\tgudang=udara-01\t+07:00\n';
    expect((await pantau.run(['mapping', 'list'])).out).toBe(line);
    for (const [words, fault] of [
      [[...set, 'tasmotta'], 'no codec tasmotta; did you mean tasmota?'],
      [[...set, 'tasmota', '--alias', 'gudang=udara-99'], 'no device udara-99 is registered'],
      [[...set, 'tasmota', '--alias', 'gudang'], 'expected name=device'],
      [[...set, 'tasmota', '--utc-offset', '+25:00'], 'utcOffset: expected an offset such as +07:00'],
      [['mapping', 'set', 'lain', '--pattern', 'pantau/v1/#', '--codec', 'tasmota'], 'pattern: '],
      [['mapping', 'remove', 'lain'], 'NOT_FOUND: no mapping lain was made.'],
    ] as const)
      expect(await pantau.run(words)).toMatchObject({ code: 1, err: expect.stringContaining(fault) });
    expect((await pantau.run(['mapping', 'list'])).out).toBe(line);
    expect((await pantau.run(['mapping', 'remove', 'pabrik'])).out).toBe('pabrik: dihapus / removed\n');
    expect((await pantau.run(['mapping', 'list'])).out).toBe('');
  });

  it('does not start with mappings in the file that contradict those that people made, and says which and what to do', async () => {
    using pantau = installation();
    await pantau.run(['site', 'add', 'betung', '--name', 'Betung']);
    await pantau.run(['device', 'add', 'udara-01', '--site', 'betung']);
    const set = ['mapping', 'set', 'pabrik', '--pattern', 'pabrik/{device}/data', '--codec', 'tasmota'];
    await pantau.run([...set, '--alias', 'gudang=udara-01']);
    const config = join(pantau.path, 'pantau.yaml');
    const before = readFileSync(config, 'utf8');
    for (const [mapping, reason] of [
      [
        `{ pattern: 'tele/{device}', codec: tasmota, aliases: { teras: udara-01 } }`,
        'teras and gudang both name the device udara-01',
      ],
      [`{ pattern: 'pabrik/{device}/data', codec: ruuvi }`, 'pantau.yaml reads this pattern with ruuvi'],
      [
        `{ pattern: 'pabrik/{device}/data', codec: tasmota, aliases: { gudang: udara-01 } }`,
        'pantau.yaml says what gudang is',
      ],
    ] as const) {
      writeFileSync(config, `${before}mappings: [${mapping}]\n`);
      const { code, err } = await pantau.run(['start']);
      expect([code, err]).toEqual([1, expect.stringContaining(reason)]);
      expect(err).toMatch(/^pantau: CONFIG_INVALID: .*the mapping pabrik \(pabrik\/\{device\}\/data\)/);
      expect(err).toContain('pantau mapping remove pabrik');
    }
    // The remedy works without a running Pantau.
    expect((await pantau.run(['mapping', 'remove', 'pabrik'])).code).toBe(0);
    const port = `http: { port: ${await freePort()} }\nhttpIntake: { port: false }`;
    writeFileSync(config, readFileSync(config, 'utf8').replace('http: { port: 1 }', port));
    const server = startProcess(process.execPath, [MAIN, '--config', config, 'start']);
    try {
      await waitUntil('it starts', () => server.output().includes('ready:'), LONGEST_MS);
    } finally {
      await server.stop('SIGTERM');
    }
  });

  it('leaves nothing for others to read, also in a folder and a file that were there before', async () => {
    using pantau = installation();
    const credentials = join(pantau.path, 'credentials.json');
    const data = join(pantau.path, 'data');
    mkdirSync(join(data, 'journal'), { recursive: true, mode: 0o755 });
    writeFileSync(join(data, 'journal', 'earlier'), '', { mode: 0o644 });
    chmodSync(data, 0o755);
    writeFileSync(credentials, '{}', { mode: 0o644 });
    expect((await pantau.run(['device', 'add-plan', 'demo', '--credentials', credentials])).code).toBe(0);
    expect((await pantau.run(['reconcile'])).code).toBe(0);
    const all = readdirSync(data, { recursive: true, encoding: 'utf8' }).map((name) => join(data, name));
    expect(all.some((name) => name.endsWith('data.mdb'))).toBe(true);
    for (const path of [data, credentials, ...all])
      expect([path, (statSync(path).mode & 0o077).toString(8)]).toEqual([path, '0']);
  });

  it('ends a replay without a broker after its patience', async () => {
    using pantau = installation();
    const credentials = join(pantau.path, 'credentials.json');
    await pantau.run(['device', 'add-plan', 'demo', '--credentials', credentials]);
    const words = ['replay', '--credentials', credentials, '--url', 'mqtt://127.0.0.1:1'];
    const { code, err } = await pantau.run([...words, '--patience', '1s']);
    expect(code).toBe(1);
    expect(err).toMatch(/^pantau: BROKER_UNAVAILABLE: no connection to mqtt:\/\/127\.0\.0\.1:1 for 1 s/);
  });

  it('has commands to walk', () => {
    expect(COMMANDS.map(([name]) => name)).toEqual(
      expect.arrayContaining(['start', 'replay', 'device add', 'site add', 'token create', 'reconcile']),
    );
  });

  // Without values these do what they are for, whatever is nonsense: they list, count or run.
  const WITHOUT_VALUES = COMMANDS.filter(
    ([, { registeredArguments, options }]) =>
      ![...registeredArguments, ...options].some(({ required }) => required),
  ).map(([name]) => name);

  it.each(COMMANDS)('%s: nonsense is an error that names it, not a stack', async (name, command, words) => {
    using pantau = installation();
    // Only the full check of the account asks a running Pantau, with the token.
    const asked = name === 'reconcile' ? ['--full'] : [];
    const calls = WITHOUT_VALUES.includes(name)
      ? [[...words, '--no-such-option'], ...(name === 'start' ? [] : [[...words, NONSENSE]])]
      : [
          ...(command.registeredArguments.some(({ required }) => required) ||
          command.options.some(({ mandatory }) => mandatory)
            ? [call(command, words, NONSENSE)]
            : []),
          ...command.options
            .filter(({ required }) => required)
            .map(({ long }) => call(command, words, NONSENSE, [long ?? '', NONSENSE, ...asked])),
        ];
    for (const args of calls) {
      const { code, signal, err } = await pantau.run(args);
      expect([args, signal, code]).toEqual([args, null, 1]);
      expect(err).toMatch(/^(pantau|error): /);
      expect(err).not.toMatch(STACK);
    }
  });

  it.each(COMMANDS.filter(([name]) => !['start', 'bridge', 'simulate'].includes(name.split(' ')[0] ?? '')))(
    '%s: no stack when whoever read the output is gone',
    async (_name, command, words) => {
      using pantau = installation();
      await expectNoStack(pantau, call(command, words, 'x'));
    },
  );

  it.each(['', 'device', 'device add'])(
    '%s --help: no stack when whoever read the output is gone',
    async (words) => {
      using pantau = installation();
      await expectNoStack(pantau, [...words.split(' ').filter(Boolean), '--help']);
    },
  );
});
