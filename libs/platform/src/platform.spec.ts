import { parseYaml } from '#libs/kernel';
import { temporaryFolder } from '#libs/testing';
import { writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { configSchema, ENVIRONMENT_VARIABLES, loadConfig } from './config.js';

function load(text: string, environment: NodeJS.ProcessEnv = {}): ReturnType<typeof loadConfig> {
  using folder = temporaryFolder('config');
  const file = join(folder.path, 'pantau.yaml');
  writeFileSync(file, text);
  return loadConfig(file, environment);
}

describe('loadConfig', () => {
  it('accepts an empty file: every key has a default', () => {
    const { mqtt, ...others } = configSchema.parse({});
    expect(load('')).toMatchObject(others);
    // Limits follow from the memory as well.
    expect(load('memory: 64GB')).toMatchObject({ mqtt });
  });

  it('lowers the limits for peers that nobody has set, until they fit into the memory', () => {
    const set = 'mqtt: { limits: { bounds: { waitingBytes: { total: 100000000 } } } }';
    const { limits } = load(`memory: 512MB\n${set}`).mqtt;
    expect(limits.connections).toBe(711);
    expect(limits.bounds.waitingBytes.total).toBe(100_000_000);
    expect(limits.bounds.arrivingBytes.total).toBeLessThan(10_000_000);
    // Two of the largest messages of each, still.
    expect(limits.bounds.unfinishedBytes.perPrincipal).toBeGreaterThanOrEqual(2 * 262_144);
    // Kept on disk.
    expect(limits.bounds.queuedBytes).toEqual(configSchema.parse({}).mqtt.limits.bounds.queuedBytes);
    const { connections } = load('memory: 512MB', { PANTAU_MEMORY: '64GB' }).mqtt.limits;
    expect(connections).toBe(25_000);
  });

  it('takes half of the memory of the machine, or what it is told', () => {
    expect(load('').memory).toBeGreaterThan(100_000_000);
    expect(load('').memory).toBeLessThanOrEqual(totalmem() / 2);
    const sizes = ['512MB', '512 MB', '1.5GiB', '700000000'];
    expect(sizes.map((size) => load(`memory: ${size}`).memory)).toEqual([512e6, 512e6, 1.5 * 2 ** 30, 7e8]);
    for (const wrong of ['half', '0MB', '-1', '[1]'])
      expect(() => load(`memory: ${wrong}`)).toThrow(/pantau\.yaml:1: memory: /);
  });

  it('names file, line and expectation of every problem at once', () => {
    const text = 'data: x\nmqtt:\n  port: 70000\nhttp:\n  prot: 8080\nlivenessBeat: soon\n';
    expect(() => load(text)).toThrow(/pantau\.yaml:3: mqtt\.port: .*65535/);
    expect(() => load(text)).toThrow(/pantau\.yaml:5: http: .*"prot"/);
    expect(() => load(text)).toThrow(
      /pantau\.yaml:6: livenessBeat: expected a duration such as 30s, 5m, 2h or 1d, found "soon"/,
    );
  });

  it('names the line of text that is not YAML', () => {
    expect(() => load('data: x\nmqtt: [1, 2\n')).toThrow(/CONFIG_INVALID:\s+\S+pantau\.yaml:\d: /);
  });

  it('says which file it cannot read', () => {
    expect(() => loadConfig('/no/such/pantau.yaml', {})).toThrow(
      /CONFIG_UNREADABLE: cannot read \/no\/such\/pantau\.yaml/,
    );
  });

  it('lets the environment override the file', () => {
    const config = load('mqtt:\n  port: 1000\n', {
      PANTAU_MQTT_PORT: '2000',
      PANTAU_DATA: '/srv/pantau',
      PANTAU_STORE: 'influxdb',
      PANTAU_INFLUX_VERSION: '2',
      PANTAU_INFLUX_URL: 'http://influxdb:8086',
      PANTAU_INFLUX_TOKEN: 'secret',
    });
    expect(config).toMatchObject({
      data: '/srv/pantau',
      mqtt: { port: 2000 },
      store: { engine: 'influxdb', version: 2, token: 'secret' },
    });
  });

  it('names the variable that is wrong, and what is expected of it', () => {
    expect(() => load('', { PANTAU_MQTT_PORT: 'abc', PANTAU_DATA: '/srv/pantau' })).toThrow(
      /^CONFIG_INVALID:\s+PANTAU_MQTT_PORT \(mqtt\.port\): expected a whole number/,
    );
    for (const name of Object.keys(ENVIRONMENT_VARIABLES).filter((one) => /PORT|VERSION/.test(one)))
      for (const value of ['abc', '99999999', '-1', '1.5', ' ']) {
        expect(() => load('', { PANTAU_STORE: 'influxdb', [name]: value })).toThrow(name);
        expect(() => load('', { PANTAU_STORE: 'influxdb', [name]: value })).not.toThrow(/NaN/);
      }
    expect(() => load('', { PANTAU_STORE: 'oracle' })).toThrow(/PANTAU_STORE \(store\.engine\)/);
  });

  it('lets the environment turn a listener off', () => {
    expect(load('', { PANTAU_METRICS_PORT: 'false' }).metrics.port).toBe(false);
  });

  it('names file and line of what is wrong in the file, though the environment overrides something else', () => {
    expect(() => load('data: x\nhttp:\n  port: many\n', { PANTAU_DATA: '/srv/pantau' })).toThrow(
      /pantau\.yaml:3: http\.port/,
    );
  });

  it('never shows the value of an environment variable, which may be a secret', () => {
    let message = '';
    try {
      load('', { PANTAU_INFLUX_TOKEN: 'top-secret', PANTAU_STORE: 'influxdb' });
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('PANTAU_INFLUX_TOKEN');
    expect(message).not.toContain('top-secret');
  });

  it('knows only variables of its own name', () => {
    expect(Object.keys(ENVIRONMENT_VARIABLES).every((name) => name.startsWith('PANTAU_'))).toBe(true);
  });
});

describe('parseYaml', () => {
  it('keeps everything in the store unless told otherwise, and nothing for less than a day', () => {
    expect(load('').store.retention).toEqual({ raw: Infinity, hour: Infinity, day: Infinity });
    expect(load('store: { engine: duckdb, retention: { raw: 400d, day: forever } }').store.retention).toEqual(
      {
        raw: 400 * 86_400_000,
        hour: Infinity,
        day: Infinity,
      },
    );
    for (const raw of ['1h', 'never'])
      expect(() => load(`store: { engine: duckdb, retention: { raw: ${raw} } }`)).toThrow(
        /:1: store\.retention\.raw: expected forever, or a duration of at least one day such as 400d, found/,
      );
  });

  it('archives nothing unless told, and not what the store has forgotten by then', () => {
    expect(load('').archive).toBeUndefined();
    expect(load('archive: {}').archive).toEqual({ folder: 'archive', after: 2 * 86_400_000 });
    expect(() => load('store: { engine: duckdb, retention: { raw: 3d } }\narchive: { after: 2d }')).toThrow(
      /:2: archive\.after: expected at least two days less than store\.retention\.raw/,
    );
  });

  it('points into lists', () => {
    const schema = z.strictObject({ rules: z.array(z.strictObject({ id: z.string() })) });
    expect(() => parseYaml('rules.yaml', 'rules:\n  - id: a\n  - id: 7\n', schema)).toThrow(
      /rules\.yaml:3: rules\.1\.id: /,
    );
  });
});
