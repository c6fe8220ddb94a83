import { DAY, duration, HOUR, MINUTE, PantauError, utcOffsetOf, type Millis } from '#libs/kernel';
import { CONFIGURABLE_STREAMS, isStreamName } from '#libs/streams';
import { ID_PATTERN, patternFault } from '#libs/telemetry';
import { isAbsolute, join, dirname } from 'node:path';
import { z } from 'zod';
import { byteSize } from './byte-size.js';
import { storeSchema } from './store-config.js';
import { accountsSchema, publicUrlSchema, signOnHasAddress, trustProxySchema } from './accounts-config.js';
import { fittedToMemory, standardMemory } from './memory-bound.js';
import { readYamlFile } from './yaml-file.js';

const port = z.int('expected a whole number from 0 to 65535').min(0).max(65_535);
const portOrOff = z.union([port, z.literal(false)], {
  error: 'expected a whole number from 0 to 65535, or false to turn it off',
});

const retention = z
  .strictObject({
    maxAge: duration.optional(),
    maxBytes: z.int().positive().optional(),
    unread: z.enum(['wait', 'drop']).default('wait'),
  })
  .prefault({});

/** What is wrong with a name under `journal.retention`. */
function streamFault({ input }: { readonly input?: unknown }): string {
  const name = String(input);
  if (isStreamName(name)) return `the stream ${name} is kept for ever: figures refer to it`;
  return `expected a stream of the journal (${CONFIGURABLE_STREAMS.join(', ')}), found "${name}"`;
}

const rate = (perSecond: number, burst: number) =>
  z
    .strictObject({
      perSecond: z.number().positive().default(perSecond),
      burst: z.int().positive().default(burst),
    })
    .prefault({});

const count = (standard: number) => z.int().positive().default(standard);

/** What one MQTT client may cost; docs/configuration.md says what each one does. */
const quota = (perPrincipal: number, total: number) =>
  z.strictObject({ perPrincipal: count(perPrincipal), total: count(total) }).prefault({});

const MIB = 1_048_576;
/** What is kept for one device or service account, and for all together; docs/broker.md, Bounds. */
const boundsSchema = z
  .strictObject({
    /** Kept sessions. */
    sessions: quota(32, 50_000),
    /** Of filters, of connections and of kept sessions: their characters, and 256 for each level. */
    subscriptionBytes: quota(32 * MIB, 512 * MIB),
    /** On disk, in the queues of kept sessions; a message counts in each queue. */
    queuedBytes: z
      .strictObject({
        perClient: count(256 * MIB),
        perPrincipal: count(512 * MIB),
        total: count(2_048 * MIB),
      })
      .prefault({}),
    /** In memory, for clients that are connected. */
    waitingBytes: quota(16 * MIB, 128 * MIB),
    retainedMessages: quota(50_000, 200_000),
    retainedBytes: quota(128 * MIB, 1_024 * MIB),
    /** QoS 2 messages that wait for their PUBREL. */
    inboundQos2: quota(2_000, 200_000),
    willBytes: quota(MIB, 64 * MIB),
    /** What is known of the topics that sessions write to. */
    topicCacheBytes: quota(4 * MIB, 64 * MIB),
    /** Of clients that are not known yet. */
    arrivingBytes: z.strictObject({ perAddress: count(32 * MIB), total: count(128 * MIB) }).prefault({}),
    /** Of packets, and of WebSocket frames, that are not whole. */
    unfinishedBytes: quota(32 * MIB, 128 * MIB),
    /** Of packets that are whole, until they are dealt with. */
    inProgressBytes: quota(16 * MIB, 128 * MIB),
  })
  .prefault({});

const limitsSchema = z
  .strictObject({
    connections: count(25_000),
    connectionsPerAddress: count(2_000),
    pending: count(5_000),
    pendingPerAddress: count(200),
    connectsPerAddress: rate(100, 500),
    authFailuresPerAddress: rate(2, 60),
    refusalEntries: rate(1, 500),
    connectTimeout: duration.default(10_000),
    messagesPerDevice: rate(1_000, 10_000),
    messagesPerAccount: rate(10_000, 100_000),
    topicLevels: z.int().min(6).max(100).default(16),
    subscriptionsPerClient: count(50),
    foreignTopicsPerClient: count(100),
    inflightMessagesPerClient: z.int().min(1).max(10_000).default(100),
    stalledAfter: duration.default(60_000),
    queuedBytesPerClient: count(1_048_576),
    queuedMessagesPerClient: count(1_000),
    bounds: boundsSchema,
    minKeepAlive: duration.default(5_000),
    maxKeepAlive: duration.default(1_200_000),
    takeovers: z
      .strictObject({
        count: count(5),
        within: duration.default(60_000),
        hold: duration.default(30_000),
      })
      .prefault({}),
    sessionExpiry: duration.default(604_800_000),
  })
  .prefault({});

const bridgeSchema = z.strictObject({
  /** Of an MQTT 5 broker: `mqtt://host:port` or `mqtts://host:port`. */
  url: z.url({ protocol: /^mqtts?$/ }),
  username: z.string().optional(),
  /** Better given as `PANTAU_BRIDGE_PASSWORD`. */
  password: z.string().optional(),
  /** What is read there; the shared subscription is `$share/{group}/{filter}`. */
  filter: z.string().min(1).default('pantau/v1/+/+/+'),
  group: z.string().min(1).default('pantau'),
  /** User property that names the device; without one the topic names it. */
  deviceProperty: z.string().min(1).optional(),
  /** Names this replica; each replica needs its own, and keeps it over restarts. */
  clientId: z.string().min(1).max(100).default('pantau-bridge'),
  /** Each acknowledges one message at a time. */
  connections: z.int().min(1).max(64).default(16),
});
export type BridgeConfig = z.output<typeof bridgeSchema>;

const deviceId = z.string().regex(ID_PATTERN, 'expected lower-case letters, digits and hyphens, at most 63');

/** `+07:00` as milliseconds. */
const utcOffset = z.string().transform((text, context): Millis => {
  const ms = utcOffsetOf(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `expected an offset such as +07:00, found "${text}"` });
  return z.NEVER;
});

/** How topics of other makers' devices are read; docs/devices.md. */
const mappingSchema = z
  .strictObject({
    pattern: z.string().check((context) => {
      const fault = patternFault(context.value);
      if (fault !== undefined) context.issues.push({ code: 'custom', message: fault, input: context.value });
    }),
    codec: z.string().min(1),
    device: deviceId.optional(),
    aliases: z.record(z.string().toLowerCase(), deviceId).optional(),
    utcOffset: utcOffset.optional(),
  })
  .transform(({ utcOffset: utcOffsetMs, ...rest }) => ({ ...rest, utcOffsetMs }));

const sections = z.strictObject({
  /** Folder of the journal, the state and the embedded store; relative to the working directory. */
  data: z.string().min(1).default('data'),
  /** What Pantau may take of the machine's memory; by default half of it. Threads, heaps, batches, caches and limits for peers follow. */
  memory: byteSize.optional(),
  /** Files beside `pantau.yaml`. */
  sites: z.string().min(1).default('sites.yaml'),
  rules: z.string().min(1).default('rules.yaml'),
  /** Indicators beside those that come with Pantau. */
  indicators: z.string().min(1).optional(),
  /** Limits of the quality tests that differ from the shipped ones. */
  qualityControl: z.string().min(1).optional(),
  /** Topics of other makers' devices, tried in this order. */
  mappings: z.array(mappingSchema).default([]),
  mqtt: z
    .strictObject({
      /** Loopback unless told otherwise: listening to the world is a decision. */
      host: z.string().min(1).default('127.0.0.1'),
      /** `false` turns plain TCP off. */
      port: portOrOff.default(1883),
      tls: z.strictObject({ port: port.default(8883) }).optional(),
      ws: z.strictObject({ port: port.default(8083) }).optional(),
      wss: z.strictObject({ port: port.default(8084) }).optional(),
      webSocketPath: z.string().startsWith('/').default('/mqtt'),
      /** What becomes of a device that publishes on somebody else's topic; the message is acknowledged and read by nobody. */
      deny: z.enum(['ignore', 'disconnect']).default('ignore'),
      /** For `tls` and `wss`: PEM files, beside `pantau.yaml` or with a whole path. */
      certificate: z
        .strictObject({
          key: z.string().min(1),
          cert: z.string().min(1),
          clientCa: z.string().min(1).optional(),
          clientCrl: z.string().min(1).optional(),
          clientCertificate: z.enum(['optional', 'required']).default('optional'),
        })
        .optional(),
      /** Networks (CIDR) of balancers that speak the PROXY protocol. */
      trustedProxies: z.array(z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()])).default([]),
      /** A device that is back within this time has flapped; it was not out. */
      flapGrace: duration.default(60_000),
      limits: limitsSchema,
      /** Reads an MQTT 5 broker beside the own listeners, or instead of them. */
      bridge: bridgeSchema.optional(),
      /** Larger payloads are acknowledged and set aside in `rejected`. */
      maxPayloadBytes: z.int().min(1_024).max(4_000_000).default(262_144),
    })
    .prefault({}),
  /** Prometheus metrics at `/metrics`; `false` turns them off. */
  metrics: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: portOrOff.default(9464),
    })
    .prefault({}),
  http: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(8080),
      publicUrl: publicUrlSchema.optional(),
      trustProxy: trustProxySchema,
    })
    .prefault({}),
  /** People who sign in. */
  accounts: accountsSchema,
  /** Where devices post. By default the address of `http` with the next port; `false` leaves them the port of the API alone. */
  httpIntake: z.strictObject({ host: z.string().min(1).optional(), port: portOrOff.optional() }).prefault({}),
  journal: z
    .strictObject({
      shards: z.int().min(1).max(256).default(4),
      /** Bytes of the disk that new input leaves alone. By default 512 MiB, at most a tenth of the file system. */
      minFree: z.int().min(1_048_576).optional(),
      /** By stream; a stream that is not named keeps everything. */
      retention: z.partialRecord(z.enum(CONFIGURABLE_STREAMS, { error: streamFault }), retention).default({}),
    })
    .prefault({}),
  store: storeSchema.prefault({ engine: 'duckdb' }),
  /** Parquet files by calendar day; none without this section. */
  archive: z
    .strictObject({
      /** In the data folder, or a whole path. */
      folder: z.string().min(1).default('archive'),
      /** A day is written this long after it has ended. */
      after: duration.default(2 * DAY),
    })
    .optional(),
  ingest: z
    .strictObject({
      /** Device time may be ahead of arrival by this much. */
      maxFuture: duration.default(300_000),
      /** Device time before this day is the time of a device that lost its clock. */
      oldest: z.iso.date().default('2000-01-01'),
      /** What was measured longer before its arrival is refused; a device may have a `maxAge` of its own. */
      maxAge: duration.default(30 * 24 * HOUR),
      /** A device time that cannot be true: take the time of arrival and flag the readings, or refuse them. */
      wrongClock: z.enum(['arrival', 'refuse']).default('arrival'),
      /** ppb to ug/m3 at 25 degC and 1 atm, as limits and ISPU want it, or as measured beside the gas. */
      gasConditions: z.enum(['reference', 'measured']).default('reference'),
    })
    .prefault({}),
  /** How often Pantau records that it is alive; a longer silence of its own is unknown time for every device. */
  livenessBeat: duration.default(10_000),
  /** A thread that is blocked for so long ends the process with an error. */
  watchdog: duration
    .default(MINUTE)
    .refine((ms) => ms >= 5_000, 'expected at least 5s; a batch or a large question may take seconds'),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({}),
});

/** `pantau.yaml`. Every key has a default, so an empty file is valid. */
export const configSchema = sections
  .superRefine(signOnHasAddress)
  .superRefine(({ archive, store }, context) => {
    // A day must be in its file, and late readings of it too, while the store still holds all of it.
    if (archive === undefined || archive.after + 2 * DAY <= store.retention.raw) return;
    context.addIssue({
      code: 'custom',
      path: ['archive', 'after'],
      message:
        'expected at least two days less than store.retention.raw, or the store forgets a day before it is archived',
    });
  });
export type PantauConfig = z.output<typeof configSchema>;

/** A configuration with the folder it was read from, against which its file names are resolved. */
export interface LoadedConfig extends PantauConfig {
  readonly folder: string;
  readonly memory: number;
}

/** Environment variables that override the file, with the place in it: what differs between machines, and secrets. */
const ENVIRONMENT = {
  PANTAU_DATA: ['data'],
  PANTAU_MEMORY: ['memory'],
  PANTAU_MQTT_HOST: ['mqtt', 'host'],
  PANTAU_MQTT_PORT: ['mqtt', 'port'],
  PANTAU_METRICS_HOST: ['metrics', 'host'],
  PANTAU_METRICS_PORT: ['metrics', 'port'],
  PANTAU_BRIDGE_PASSWORD: ['mqtt', 'bridge', 'password'],
  PANTAU_HTTP_HOST: ['http', 'host'],
  PANTAU_HTTP_PORT: ['http', 'port'],
  PANTAU_OIDC_CLIENT_SECRET: ['accounts', 'openIdConnect', 'clientSecret'],
  PANTAU_HTTP_PUBLIC_URL: ['http', 'publicUrl'],
  PANTAU_HTTP_INTAKE_HOST: ['httpIntake', 'host'],
  PANTAU_HTTP_INTAKE_PORT: ['httpIntake', 'port'],
  PANTAU_LOG_LEVEL: ['log', 'level'],
  PANTAU_STORE: ['store', 'engine'],
  PANTAU_INFLUX_VERSION: ['store', 'version'],
  PANTAU_INFLUX_URL: ['store', 'url'],
  PANTAU_INFLUX_DATABASE: ['store', 'database'],
  PANTAU_INFLUX_ORG: ['store', 'org'],
  PANTAU_INFLUX_TOKEN: ['store', 'token'],
  PANTAU_INFLUX_USERNAME: ['store', 'username'],
  PANTAU_INFLUX_PASSWORD: ['store', 'password'],
} as const satisfies Record<string, readonly string[]>;

/** The key that each environment variable overrides. */
export const ENVIRONMENT_VARIABLES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ENVIRONMENT).map(([name, path]) => [name, path.join('.')]),
);

/** Keys that are numbers. Other text stays as it is and is refused as what it is. */
const NUMBERS: readonly string[] = ['port', 'version'];

/**
 * Reads `pantau.yaml` and applies the environment.
 *
 * @throws PantauError `CONFIG_UNREADABLE` or `CONFIG_INVALID` with file and line, or the variable, and what was expected; of
 * an environment variable only the name is shown, because it may hold a secret
 */
export function loadConfig(file: string, environment: NodeJS.ProcessEnv): LoadedConfig {
  const raw = readYamlFile(file, z.record(z.string(), z.unknown()).prefault({}));
  const loaded = (config: PantauConfig): LoadedConfig => {
    const { memory = standardMemory() } = config;
    return { ...fittedToMemory(config, memory, raw), memory, folder: dirname(file) };
  };
  const fileAlone = (): LoadedConfig => loaded(readYamlFile(file, configSchema.prefault({})));
  const set = Object.entries(ENVIRONMENT).filter(([name]) => (environment[name] ?? '') !== '');
  if (set.length === 0) return fileAlone();
  for (const [name, path] of set) override(raw, path, environment[name] ?? '');
  const result = configSchema.safeParse(raw);
  if (result.success) return loaded(result.data);
  const variables = new Map(set.map(([name, path]) => [path.join('.'), name]));
  const problems = result.error.issues.map(({ path, message }) => ({ key: path.join('.'), message }));
  // What is wrong with the file alone is told with its line.
  if (!problems.some(({ key }) => variables.has(key))) fileAlone();
  const lines = problems.map(({ key, message }) => {
    const variable = variables.get(key);
    return variable === undefined ? `  ${file}: ${key}: ${message}` : `  ${variable} (${key}): ${message}`;
  });
  const names = [...variables.values()].join(', ');
  throw new PantauError('CONFIG_INVALID', `\n${lines.join('\n')}\n  (environment: ${names})`);
}

function override(config: Record<string, unknown>, path: readonly string[], value: string): void {
  let section = config;
  for (const name of path.slice(0, -1)) {
    const existing = section[name];
    const copy: Record<string, unknown> =
      typeof existing === 'object' && existing !== null ? { ...existing } : {};
    section[name] = copy;
    section = copy;
  }
  const key = path.at(-1) ?? '';
  if (NUMBERS.includes(key) && /^\d+$/.test(value)) section[key] = Number(value);
  else section[key] = key === 'port' && value === 'false' ? false : value;
}

/** A file named in the configuration, as a path. */
export function configFile(config: LoadedConfig, name: string): string {
  return isAbsolute(name) ? name : join(config.folder, name);
}
