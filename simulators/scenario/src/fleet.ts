import type { Millis, TimeSpan, UtcMillis } from '#libs/kernel';
import type { Air, AirSite } from '#simulators/air';
import {
  cameraMessages,
  cameraTruth,
  gardenProbeMessages,
  publicServiceMessages,
  publicServiceTruth,
  SENSOR_MODELS,
  stationMessages,
  wasteBinMessages,
  weighbridgeMessages,
  type CameraFault,
  type CameraSpan,
  type Fault,
  type ProgrammeFault,
  type SensorFault,
  type SensorModelName,
  type SimulatedMessage,
  type SupplyFault,
} from '#simulators/devices';
import { befalls, faultOf, idsOf, type SimulatedKind } from './befall.js';
import type { ProgrammeKind, ScenarioFile } from './schema.js';

export interface SimulatedDevice {
  readonly id: string;
  readonly site: string;
  readonly name: string;
  readonly kind: SimulatedKind;
  readonly intervalMs: Millis;
  /** Of a station. */
  readonly model?: SensorModelName;
  /** In true time. */
  readonly faults: readonly Fault[];
  /** What it sends, in the order in which it is delivered. The same bytes each time. */
  messages(): Iterable<SimulatedMessage>;
  /** Of a camera: when it truly gave pictures; of a service: when it truly answered. */
  states(): CameraSpan[];
}

export interface FleetOptions extends TimeSpan {
  readonly file: ScenarioFile;
  readonly air: Air;
  readonly seed: number;
  readonly utcOffset: Millis;
  /** Groups are made so much smaller, to two devices at least. */
  readonly scale: number;
  readonly inTime: <T extends { from: Millis; for?: Millis | undefined }>(
    entry: T,
  ) => Omit<T, 'from' | 'for'> & TimeSpan;
}

interface Entry {
  readonly id: string;
  readonly site: string;
  readonly interval: Millis;
  readonly count: number;
  readonly name?: string | undefined;
  readonly model?: SensorModelName;
}

const NAMES: Readonly<Record<SimulatedKind, string>> = {
  air: 'Stasiun',
  camera: 'Kamera',
  bin: 'Bak sampah',
  weighbridge: 'Jembatan timbang',
  garden: 'Kebun',
  service: 'Layanan',
};

/** Every device of a scenario with what befalls it. */
export function fleetOf({
  file,
  air,
  seed,
  utcOffset,
  scale,
  inTime,
  ...span
}: FleetOptions): SimulatedDevice[] {
  const devices: SimulatedDevice[] = [];
  const add = (
    kind: SimulatedKind,
    entry: Entry,
    model: (options: Options) => Pick<SimulatedDevice, 'messages'> & Partial<SimulatedDevice>,
  ): void => {
    const { site, interval: intervalMs, count } = entry;
    for (const id of idsOf({ ...entry, count: count === 1 ? 1 : Math.max(2, Math.round(count * scale)) })) {
      const faults = file.faults
        .filter((fault) => befalls(fault, { ...entry, id, kind, group: entry.id }))
        .map((fault) => faultOf(inTime(fault)));
      devices.push({
        ...{ id, site, kind, intervalMs, faults },
        name: entry.name ?? `${NAMES[kind]} simulasi ${id}`,
        states: () => [],
        ...model({ id, seed, intervalMs, utcOffset, faults, ...span }),
      });
    }
  };
  const siteOf = ({ site }: Entry): AirSite => file.fleet.sites.find(({ id }) => id === site) as AirSite;
  for (const entry of file.fleet.stations)
    add('air', entry, (options) => ({
      model: entry.model,
      messages: () =>
        stationMessages({
          ...options,
          faults: options.faults as (SensorFault | SupplyFault)[],
          model: SENSOR_MODELS[entry.model],
          airAt: (at) => air.at(siteOf(entry), at),
        }),
    }));
  for (const entry of file.fleet.cameras)
    add('camera', entry, ({ faults, ...rest }) => {
      const options = { ...rest, faults: faults as (CameraFault | SupplyFault)[] };
      return { messages: () => cameraMessages(options), states: () => cameraTruth(options) };
    });
  for (const entry of file.fleet.programmes)
    add(entry.kind, entry, ({ faults, ...rest }) =>
      programmeModel(
        entry.kind,
        { ...rest, faults: faults as (ProgrammeFault | SupplyFault)[] },
        air,
        siteOf(entry),
      ),
    );
  return devices;
}

interface Options extends TimeSpan {
  readonly id: string;
  readonly seed: number;
  readonly intervalMs: Millis;
  readonly utcOffset: Millis;
  readonly faults: readonly Fault[];
}

function programmeModel(
  kind: ProgrammeKind,
  options: Options & { readonly faults: readonly (ProgrammeFault | SupplyFault)[] },
  air: Air,
  site: AirSite,
): Pick<SimulatedDevice, 'messages'> & Partial<SimulatedDevice> {
  const supply = options.faults as SupplyFault[];
  switch (kind) {
    case 'bin':
      return { messages: () => wasteBinMessages(options) };
    case 'weighbridge':
      return { messages: () => weighbridgeMessages({ ...options, faults: supply }) };
    case 'garden': {
      const airAt = (at: UtcMillis) => air.at(site, at);
      const { showers } = air.weather;
      return { messages: () => gardenProbeMessages({ ...options, faults: supply, showers, airAt }) };
    }
    case 'service':
      return {
        messages: () => publicServiceMessages(options),
        states: () => publicServiceTruth(options),
      };
  }
}
