import { z } from 'zod';

export const BROKER_PROTOCOLS = ['mqtt', 'mqtts', 'ws', 'wss'] as const;

export const brokerSchema = z
  .strictObject({
    host: z.string().describe('As this request or `http.publicUrl` names Pantau'),
    listeners: z
      .array(z.strictObject({ protocol: z.enum(BROKER_PROTOCOLS), port: z.int().min(1).max(65_535) }))
      .describe('None where devices reach Pantau through another broker alone'),
  })
  .meta({ id: 'Broker' });
