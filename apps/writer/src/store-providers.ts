import type { Registry } from '#libs/identity';
import type { Clock } from '#libs/kernel';
import type { TimeSeriesStore } from '#libs/timeseries';
import type { Provider } from '@nestjs/common';
import { SeriesGuard } from './guard.js';

export const STORE = Symbol('TimeSeriesStore');
export const CLOCK = Symbol('Clock');
export const GUARD = Symbol('SeriesGuard');

/** What both writing stages need. */
export function storeProviders(store: TimeSeriesStore, registry: Registry, clock: Clock): Provider[] {
  return [
    { provide: STORE, useValue: store },
    { provide: CLOCK, useValue: clock },
    { provide: GUARD, useValue: new SeriesGuard(registry) },
  ];
}
