import { parseDuration, type Millis, type TimeSpan } from '#libs/kernel';
import type { Fault } from '#simulators/devices';
import type { FaultEntry, ProgrammeKind } from './schema.js';

/** What a simulated device is. */
export type SimulatedKind = 'air' | 'camera' | ProgrammeKind;

/** In sentences. */
export const KIND_WORDS: Readonly<Record<SimulatedKind, string>> = {
  air: 'station',
  camera: 'camera',
  bin: 'bin',
  weighbridge: 'weighbridge',
  garden: 'garden',
  service: 'service',
};

const ALL = Object.keys(KIND_WORDS) as SimulatedKind[];
/** Faults of others than stations. */
const BEFALLEN: Readonly<Partial<Record<FaultEntry['kind'], readonly SimulatedKind[]>>> = {
  ...{ power: ALL, link: ALL },
  ...{ recorder: ['camera'], black: ['camera'], frozen: ['camera'], flapping: ['camera'] },
  ...{ uncollected: ['bin'], outage: ['service'] },
};

/** What a kind of fault can befall. */
export function kindsOf(fault: FaultEntry['kind']): readonly SimulatedKind[] {
  return BEFALLEN[fault] ?? ['air'];
}

/** A device, and the group of the fleet that it is one of. */
export interface Befallen {
  readonly id: string;
  readonly group: string;
  readonly site: string;
  readonly kind: SimulatedKind;
  readonly model?: string;
}

export function befalls(entry: FaultEntry, { id, group, site, kind, model }: Befallen): boolean {
  return (
    kindsOf(entry.kind).includes(kind) &&
    (entry.device === undefined || listOf(entry.device).some((name) => name === id || name === group)) &&
    (entry.site === undefined || listOf(entry.site).includes(site)) &&
    (entry.model === undefined || entry.model === model)
  );
}

export function listOf(value: string | string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** The devices of an entry of the fleet. */
export function idsOf({ id, count }: { readonly id: string; readonly count: number }): string[] {
  return count === 1 ? [id] : Array.from({ length: count }, (_, i) => `${id}-${i + 1}`);
}

/** Whom a fault befalls is settled by then. */
const TARGET = new Set(['device', 'site', 'model']);

export function faultOf(entry: Omit<FaultEntry, 'for' | 'from'> & TimeSpan): Fault {
  const fault = Object.fromEntries(Object.entries(entry).filter(([key]) => !TARGET.has(key)));
  if (entry.kind !== 'clock-jump') return fault as unknown as Fault;
  const text = String(fault['by']);
  const by: Millis = parseDuration(text.replace(/^-/, '')) ?? 0;
  return { kind: 'clock-jump', from: entry.from, to: entry.to, by: text.startsWith('-') ? -by : by };
}
