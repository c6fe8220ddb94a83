import { PM25_CORRECTION_NAMES } from '#libs/air-quality';
import { ID_PATTERN, isTopicFilter, MEASURED_CODES, type MeasuredParameter } from '#libs/telemetry';
import { z } from 'zod';

const id = z.string().regex(ID_PATTERN, 'expected lower-case letters, digits and hyphens, at most 63');

/** A place with devices. */
export const siteSchema = z.strictObject({
  id,
  name: z.string().min(1).max(200),
  /** Kecamatan. */
  district: z.string().max(100).optional(),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
});
export type Site = z.infer<typeof siteSchema>;

/** A sensor, camera or gateway. Its id is unique in the whole regency and is its MQTT user name and client id. */
export const deviceSchema = z.strictObject({
  id,
  site: id,
  kind: z.enum(['air', 'camera', 'gateway']),
  name: z.string().min(1).max(200),
  /** How often it promises to report, milliseconds; what is expected of it is counted from this. */
  intervalMs: z.int().min(1_000).max(86_400_000),
  /** How long before their arrival its readings may have been measured, where that differs from `ingest.maxAge`. */
  maxAgeMs: z.int().positive().optional(),
  /** Correction of an optical counter's PM2.5 for humidity; the corrected series stands beside the raw one. */
  humidityCorrection: z.enum(PM25_CORRECTION_NAMES).optional(),
  /** Of several sensors of one quantity in its housing the one that counts, by the name that its messages give it. */
  sensors: z
    .partialRecord(z.enum(MEASURED_CODES as [MeasuredParameter]), z.string().min(1).max(100))
    .optional(),
  /** Devices whose topics it may write to as well: those that reach Pantau through it. */
  speaksFor: z.array(id).max(10_000).optional(),
});
export type Device = z.infer<typeof deviceSchema>;

/** Whether a device may connect, as the value of an entry `access/{id}`. */
export type DeviceService = 'open' | 'revoked';

const filters = z
  .array(z.string().refine(isTopicFilter, 'expected an MQTT topic filter, such as pantau/v1/+/+/telemetry'))
  .max(100);

/** An integration, a bridge, a test suite: something that is no device and holds explicit topic filters. */
export const accountSchema = z.strictObject({
  id,
  /** Topics that it may write to. Below `pantau/v1/{site}/{device}/` it then speaks for that device. */
  publish: filters,
  /** Topics that it may read. `$SYS` only by name: `#` does not include it. */
  subscribe: filters,
});
export type ServiceAccount = z.infer<typeof accountSchema>;
