import { duration } from '#libs/kernel';
import { ID_PATTERN } from '#libs/telemetry';
import { CLIMATES, type ClimateName } from '#simulators/air';
import { SENSOR_MODELS, type SensorModelName } from '#simulators/devices';
import { z } from 'zod';

const id = z.string().regex(ID_PATTERN, 'expected lower-case letters, digits and hyphens, up to 63');
const length = duration.refine((ms) => ms > 0, 'expected a length above 0');
const words = z.strictObject({ id: z.string().min(1), en: z.string().min(1) });
const parameter = z.enum(['pm25', 'pm10', 'so2', 'no2', 'co', 'o3', 'temperature', 'humidity']);
const positive = z.number().positive();
const share = z.number().min(0).max(1);
const names = <T extends string>(record: Readonly<Record<T, unknown>>): z.ZodType<T, T> =>
  z.enum(Object.keys(record) as [T, ...T[]]);
const place = { latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) };

/** When something holds: so long after the scenario began, and for how long. */
const span = {
  from: duration.default(0).describe('Time after the start of the scenario'),
  for: length.optional().describe('How long; to the end when not given'),
};

/** Whom a fault befalls. */
const target = {
  device: z.union([id, z.array(id)]).optional(),
  site: z
    .union([id, z.array(id)])
    .optional()
    .describe('Every device of the site'),
  model: names<SensorModelName>(SENSOR_MODELS).optional().describe('Every station of this model'),
};
const fault = <K extends string, S extends z.ZodRawShape>(
  kind: K,
  shape: S,
): z.ZodObject<{ kind: z.ZodLiteral<K> } & S & typeof span & typeof target> =>
  z.strictObject({ kind: z.literal(kind), ...shape, ...span, ...target });

export const faultSchema = z.discriminatedUnion('kind', [
  fault('drift', { parameter, perDay: z.number().describe("Added a day, in the parameter's unit") }),
  fault('stuck', { parameter }),
  fault('spikes', {
    parameter,
    rate: positive.describe('Spikes a day'),
    size: z.number().describe("How far a spike stands out, in the parameter's unit"),
  }),
  fault('dropout', { parameter: parameter.optional() }),
  fault('saturation', { parameter, at: positive.describe("The ceiling, in the parameter's unit") }),
  fault('wrong-unit', { parameter, factor: z.number().default(1), offset: z.number().default(0) }),
  fault('clock-drift', { secondsPerDay: z.number() }),
  fault('clock-jump', {
    by: z.string().regex(/^-?\d+(\.\d+)?(ms|s|m|h|d)$/, 'expected a length such as 2h or -3650d'),
  }),
  fault('reboot', {}),
  fault('brown-out', {}),
  fault('resend', {}),
  fault('power', {}),
  fault('link', {}),
  fault('recorder', {}),
  fault('black', {}),
  fault('frozen', {}),
  fault('flapping', { period: length }),
  fault('uncollected', {}),
  fault('outage', {}),
]);

/** What the mobile link of a site does to the connection itself. */
export const linkSchema = z.strictObject({
  site: id,
  ...span,
  delay: duration.default(0).describe('One way'),
  jitter: duration.default(0),
  bytesPerSecond: positive.optional(),
  cutEvery: length.optional().describe('Mean time after which a connection is lost, both ends told'),
  halfOpenEvery: length.optional().describe('Mean time after which a connection goes silent, nobody told'),
});

/** Devices of the programmes beside air and cameras. */
export const PROGRAMME_KINDS = ['bin', 'weighbridge', 'garden', 'service'] as const;
export type ProgrammeKind = (typeof PROGRAMME_KINDS)[number];

/** The outcome that a scenario must cause: bounds of what `--check` finds. */
const expectSchema = z
  .strictObject({
    acknowledged: share.default(1).describe('Share of the messages sent that are acknowledged'),
    flags: z
      .array(
        z.strictObject({
          fault: z.string(),
          recall: share.describe('Share of the falsified values that are flagged suspect or failed'),
        }),
      )
      .default([]),
    falseFlags: share.optional().describe('Share of the sound values that may be flagged'),
    availability: z
      .strictObject({ error: duration.describe("Largest error of a camera's known uptime") })
      .optional(),
    means: z
      .strictObject({
        parameter: z.literal('pm25'),
        model: names<SensorModelName>(SENSOR_MODELS).optional().describe('Of stations of this model alone'),
        error: share.describe('Largest relative error of a daily mean'),
      })
      .optional(),
    index: z
      .strictObject({
        model: names<SensorModelName>(SENSOR_MODELS).optional().describe('Of stations of this model alone'),
        error: z.int().nonnegative().describe('Largest error of the current ISPU, in points of the index'),
      })
      .optional()
      .describe('Compared when the scenario ends now: Pantau tells the index of the last 24 full hours'),
    alerts: z
      .array(
        z.strictObject({
          rule: id.describe('The rule of Pantau that must say so'),
          parameter,
          raise: z.number(),
          clear: z.number(),
          for: duration,
          atLeast: z.int().nonnegative().default(0).describe('True exceedances that the scenario must hold'),
          missing: z.int().nonnegative().default(0),
          extra: z.int().nonnegative().default(0),
          delay: duration.optional().describe('Largest delay of an alert, in event time'),
        }),
      )
      .default([]),
    notYet: z
      .array(
        z.strictObject({
          kind: z.enum(PROGRAMME_KINDS),
          says: words.describe('What Pantau cannot do with it yet, and what becomes of its messages'),
        }),
      )
      .default([])
      .describe(
        'Of each kind of device in fleet.programmes. The check fails when Pantau neither takes a value nor refuses it by name, and when it has learnt to take it',
      ),
  })
  .default({ acknowledged: 1, flags: [], alerts: [], notYet: [] });

const station = z.strictObject({
  id,
  site: id,
  name: z.string().optional(),
  model: names<SensorModelName>(SENSOR_MODELS).default('low-cost'),
  interval: length.default(300_000),
  count: z.int().min(1).max(50_000).default(1).describe('So many of them: id-1, id-2, …'),
});
const camera = z.strictObject({
  id,
  site: id,
  name: z.string().optional(),
  interval: length.default(60_000),
  count: z.int().min(1).max(50_000).default(1).describe('So many of them: id-1, id-2, …'),
});
const programmeDevice = z.strictObject({
  id,
  site: id,
  kind: z
    .enum(PROGRAMME_KINDS)
    .describe(
      'bin: its level; weighbridge: an event a lorry; garden: moisture of the soil, temperature, humidity; service: whether it answers',
    ),
  name: z.string().optional(),
  interval: length.default(900_000).describe('Of a weighbridge the mean time between lorries'),
  count: z.int().min(1).max(50_000).default(1).describe('So many of them: id-1, id-2, …'),
});

/** A scenario: who is there, what the weather and the air do, what breaks, and what must come of it. */
export const scenarioSchema = z.strictObject({
  title: words,
  rehearses: words.describe('What the scenario rehearses, in one sentence'),
  seed: z.int().nonnegative(),
  start: z.iso.datetime({ offset: true }).optional().describe('When it begins; without it, it ends now'),
  span: length,
  climate: names<ClimateName>(CLIMATES).default('sumatra-dry'),
  episodes: z.array(z.strictObject({ ...span, pm25: positive })).default([]),
  sources: z.array(z.strictObject({ ...span, ...place, pm25: positive })).default([]),
  fleet: z.strictObject({
    sites: z
      .array(
        z.strictObject({
          id,
          name: z.string().min(1),
          district: z.string().optional(),
          ...place,
          urban: share.default(0.3),
        }),
      )
      .min(1),
    stations: z.array(station).default([]),
    cameras: z.array(camera).default([]),
    programmes: z.array(programmeDevice).default([]).describe('Other devices of the programmes'),
  }),
  faults: z.array(faultSchema).default([]),
  links: z.array(linkSchema).default([]),
  expect: expectSchema,
});

export type ScenarioFile = z.output<typeof scenarioSchema>;
export type FaultEntry = ScenarioFile['faults'][number];
export type LinkEntry = ScenarioFile['links'][number];
export type AlertExpectation = ScenarioFile['expect']['alerts'][number];
