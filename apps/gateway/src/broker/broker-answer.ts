import { z } from 'zod';

/** `http` is where devices post. */
export const BROKER_PROTOCOLS = ['mqtt', 'mqtts', 'ws', 'wss', 'http'] as const;

export const brokerSchema = z
  .strictObject({
    host: z.string().describe('As this request or `http.publicUrl` names Pantau'),
    listeners: z
      .array(
        z.strictObject({
          protocol: z
            .enum(BROKER_PROTOCOLS)
            .describe('`http`: where devices post (`/api/v1/uplinks/{device}`)'),
          port: z.int().min(1).max(65_535),
          isLocal: z.boolean().describe("Only programs on Pantau's own machine reach it"),
        }),
      )
      .describe('None of MQTT where devices reach Pantau through another broker alone'),
  })
  .meta({ id: 'Broker' });
