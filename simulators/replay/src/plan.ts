import { duration, PantauError, parseYamlDocument, type Millis } from '#libs/kernel';
import type { CameraFault, SupplyFault } from '#simulators/devices';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { readRecording, REPLAY_FOLDER, type RecordedSample } from './recording.js';
import { readArchive } from './sensor-community.js';

const instant = z
  .union([z.iso.datetime({ offset: true }), z.date()])
  .transform((value) => (typeof value === 'string' ? Date.parse(value) : value.getTime()));

/** What is replayed. Instants are those of the recording. */
export const planSchema = z.strictObject({
  site: z.string(),
  from: instant,
  to: instant,
  stations: z.array(z.strictObject({ device: z.string(), recording: z.string() })).default([]),
  /** Files of the archive of sensor.community; every sensor of them is the device `{prefix}-{sensor id}`. */
  archives: z
    .array(
      z.strictObject({
        /** Beside the plan, or a whole path. */
        file: z.string(),
        prefix: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
      }),
    )
    .default([]),
  cameras: z
    .strictObject({
      interval: duration,
      seed: z.int().default(1),
      devices: z.array(z.string()),
      outages: z
        .array(
          z.strictObject({
            device: z.string(),
            kind: z.enum(['power-cut', 'stream-lost', 'uplink-lost']),
            from: instant,
            to: instant,
            reason: z.string().optional(),
          }),
        )
        .default([]),
    })
    .optional(),
});
export type ReplayPlan = z.output<typeof planSchema>;

/**
 * Reads a plan.
 *
 * @param plan - the name of a plan that comes with Pantau (`demo`), or the path of a YAML file
 * @throws PantauError `CONFIG_UNREADABLE` or `CONFIG_INVALID`
 */
export function readPlan(plan: string): ReplayPlan {
  const shipped = join(REPLAY_FOLDER, 'plans', `${plan}.yaml`);
  const file = existsSync(shipped) ? shipped : plan;
  let content: unknown;
  try {
    const { document, value } = parseYamlDocument(readFileSync(file, 'utf8'), file);
    if (document.errors[0] !== undefined) throw document.errors[0];
    content = value;
  } catch (cause) {
    if (cause instanceof PantauError) throw cause;
    throw new PantauError('CONFIG_UNREADABLE', `cannot read the plan ${file}.`, {
      remedy: 'Give demo or the path of a YAML file.',
      cause,
    });
  }
  const result = planSchema.safeParse(content);
  if (result.success) {
    const { archives } = result.data;
    const beside = (name: string): string => (isAbsolute(name) ? name : join(dirname(file), name));
    return {
      ...result.data,
      archives: archives.map((archive) => ({ ...archive, file: beside(archive.file) })),
    };
  }
  const problems = result.error.issues.map(
    ({ path, message }) => `\n  ${file}: ${path.join('.')}: ${message}`,
  );
  throw new PantauError('CONFIG_INVALID', problems.join(''));
}

/** Faults of the simulated cameras by the names that plans have for them. */
const OUTAGES = { 'power-cut': 'power', 'stream-lost': 'recorder', 'uplink-lost': 'link' } as const;

/** What befalls a camera of a plan, so much later than the plan says. */
export function faultsOf(
  { cameras }: ReplayPlan,
  device: string,
  laterMs: Millis,
): (CameraFault | SupplyFault)[] {
  return (cameras?.outages ?? [])
    .filter((outage) => outage.device === device)
    .map(({ kind, from, to, reason }) => ({
      ...{ kind: OUTAGES[kind], from: from + laterMs, to: to + laterMs },
      ...(kind === 'stream-lost' && reason !== undefined ? { reason } : {}),
    }));
}

/** A plan whose devices have names of their own: `{prefix}-{device}`. */
export function prefixed(plan: ReplayPlan, prefix: string): ReplayPlan {
  const own = (device: string): string => `${prefix}-${device}`;
  const { stations, archives, cameras } = plan;
  return {
    ...plan,
    stations: stations.map((station) => ({ ...station, device: own(station.device) })),
    archives: archives.map((archive) => ({ ...archive, prefix: own(archive.prefix) })),
    ...(cameras === undefined
      ? {}
      : {
          cameras: {
            ...cameras,
            devices: cameras.devices.map(own),
            outages: cameras.outages.map((outage) => ({ ...outage, device: own(outage.device) })),
          },
        }),
  };
}

/** What every measuring device of a plan recorded, also before and after the time of the plan. */
export function recordedSamples({ stations, archives }: ReplayPlan): Map<string, RecordedSample[]> {
  const recorded = new Map<string, readonly RecordedSample[]>(
    stations.map(({ device, recording }) => [device, readRecording(recording)]),
  );
  for (const { file, prefix } of archives)
    for (const [sensor, samples] of readArchive(file)) recorded.set(`${prefix}-${sensor}`, samples);
  return new Map(
    Array.from(recorded, ([device, samples]) => [
      device,
      samples.filter(({ values }) => Object.keys(values).length > 0),
    ]),
  );
}

/** Every device of a plan, by kind. */
export function devicesOf(plan: ReplayPlan): { readonly air: string[]; readonly cameras: string[] } {
  return { air: [...recordedSamples(plan).keys()], cameras: plan.cameras?.devices ?? [] };
}
