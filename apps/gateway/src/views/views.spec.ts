import type { Observation, Parameter } from '#libs/telemetry';
import { NO_READINGS, withReadings } from './latest-readings-form.js';
import { deviceStatus } from './views.js';

function message(ts: number, values: Partial<Record<Parameter, number>>, receivedAt = ts + 5): Observation {
  const readings = Object.entries(values).map(([parameter, value]) => ({
    parameter: parameter as Parameter,
    value,
    flag: 1 as const,
  }));
  return { site: 'betung', device: 'udara-01', ts, receivedAt, uplink: { shard: 0, offset: 0 }, readings };
}

describe('the latest readings of a device', () => {
  it('take the newest of each parameter by device time; a late message moves none backwards', () => {
    const first = withReadings(NO_READINGS, message(100, { pm25: 1, pm10: 2 }));
    const second = withReadings(first, message(200, { pm10: 3, humidity: 80 }));
    const late = withReadings(second, message(150, { pm25: 4, pm10: 5 }, 300));
    expect(deviceStatus(undefined, late)).toEqual({
      latest: {
        pm25: { ts: 150, value: 4, flag: 1 },
        pm10: { ts: 200, value: 3, flag: 1 },
        humidity: { ts: 200, value: 80, flag: 1 },
      },
      lastSeen: 300,
    });
    expect(deviceStatus(undefined, first).latest).toEqual({
      pm25: { ts: 100, value: 1, flag: 1 },
      pm10: { ts: 100, value: 2, flag: 1 },
    });
  });

  it('stand beside what else is known; the newest message of any kind counts as a sign of life', () => {
    const latest = withReadings(NO_READINGS, message(100, { pm25: 1 }));
    const heartbeat = { ts: 500, state: 'up' } as const;
    expect(deviceStatus({ heartbeat, lastSeen: 510 }, latest)).toMatchObject({ heartbeat, lastSeen: 510 });
    expect(deviceStatus({ heartbeat, lastSeen: 50 }, latest).lastSeen).toBe(105);
    expect(deviceStatus({ heartbeat, lastSeen: 50 }, undefined)).toEqual({ heartbeat, lastSeen: 50 });
    expect(deviceStatus(undefined, undefined)).toEqual({});
  });
});
