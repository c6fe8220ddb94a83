import type { UtcMillis } from '#libs/kernel';
import type { Uplink } from './streams.js';

/**
 * An {@link Uplink} as a list: what is absent is null; what is the same in the messages of a session comes first. Only the row
 * of a file has a last place.
 */
type StoredUplink = readonly [
  site: string,
  device: string,
  kind: Uplink['kind'],
  codec: string | null,
  topic: string,
  session: string,
  qos: Uplink['qos'],
  will: boolean,
  receivedAt: UtcMillis,
  messageId: number | null,
  dup: boolean | null,
  payload: Uint8Array,
  fromFile?: boolean,
];

/** How the stream `uplink` is stored. */
export const UPLINK_FORM = {
  pack(uplink: Uplink): StoredUplink {
    const { site, device, kind, codec = null, topic, session, qos, will } = uplink;
    const { receivedAt, messageId = null, dup, payload, fromFile } = uplink;
    if (fromFile === undefined)
      return [site, device, kind, codec, topic, session, qos, will, receivedAt, messageId, dup, payload];
    const beginning = [site, device, kind, codec, topic, session] as const;
    return [...beginning, qos, will, receivedAt, messageId, dup, payload, fromFile];
  },

  unpack(stored: readonly unknown[]): Uplink {
    const [
      site,
      device,
      kind,
      codec,
      topic,
      session,
      qos,
      will,
      receivedAt,
      messageId,
      dup,
      payload,
      fromFile,
    ] = stored as StoredUplink;
    const uplink: Uplink & { codec?: string; fromFile?: boolean } = {
      site,
      device,
      kind,
      topic,
      payload,
      receivedAt,
      qos,
      messageId: messageId ?? undefined,
      // A will that an earlier version stored says nothing of it.
      dup: dup ?? false,
      session,
      will,
    };
    if (codec !== null) uplink.codec = codec;
    if (fromFile !== undefined) uplink.fromFile = fromFile;
    return uplink;
  },
};
