import type { Millis } from '#libs/kernel';
import { isIP, type Socket } from 'node:net';

/** Who a balancer says is at the other end. */
export interface ProxiedSource {
  readonly address: string;
  readonly port: number;
}

const V2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const V2_HEADER_BYTES = 16;
/** The longest line of version 1, with its end. */
const V1_BYTES = 107;
/** Addresses and extensions of version 2; more than any balancer sends. */
const V2_MAX_BYTES = 4_096;

/**
 * Reads the header of the PROXY protocol (HAProxy, versions 1 and 2) from the beginning of a connection and leaves what
 * follows in the socket. Done on the raw socket, so that it works in front of TLS and WebSocket too.
 *
 * @returns the source; undefined when the balancer speaks for itself (`LOCAL`, `UNKNOWN`), as its health checks do
 * @throws Error when there is no header, or it is malformed or late
 */
export async function readProxyHeader(socket: Socket, timeoutMs: Millis): Promise<ProxiedSource | undefined> {
  let bytes = Buffer.alloc(0);
  const timeout = AbortSignal.timeout(timeoutMs);
  for (;;) {
    const parsed = parseProxyHeader(bytes);
    if (parsed !== undefined) {
      if (parsed.length < bytes.length) socket.unshift(bytes.subarray(parsed.length));
      return parsed.source;
    }
    const chunk = await nextChunk(socket, timeout);
    bytes = Buffer.concat([bytes, chunk]);
  }
}

/** @returns undefined when the header is not whole yet. @throws Error when it is malformed */
export function parseProxyHeader(
  bytes: Buffer,
): { readonly source: ProxiedSource | undefined; readonly length: number } | undefined {
  const isV2 = bytes.subarray(0, 12).equals(V2_SIGNATURE.subarray(0, Math.min(12, bytes.length)));
  return isV2 ? parseV2(bytes) : parseV1(bytes);
}

function parseV1(
  bytes: Buffer,
): { readonly source: ProxiedSource | undefined; readonly length: number } | undefined {
  const end = bytes.subarray(0, V1_BYTES).indexOf('\r\n');
  if (end === -1) {
    if (bytes.length >= V1_BYTES || !'PROXY '.startsWith(bytes.toString('latin1', 0, 6)))
      throw new Error('no PROXY header');
    return undefined;
  }
  const line = bytes.toString('latin1', 0, end);
  const length = end + 2;
  if (line.startsWith('PROXY UNKNOWN')) return { source: undefined, length };
  const match = /^PROXY TCP[46] ([0-9a-fA-F.:]+) [0-9a-fA-F.:]+ (\d{1,5}) \d{1,5}$/.exec(line);
  const [, address = '', port] = match ?? [];
  if (isIP(address) === 0 || Number(port) > 65_535) throw new Error('malformed PROXY header');
  return { source: { address, port: Number(port) }, length };
}

function parseV2(
  bytes: Buffer,
): { readonly source: ProxiedSource | undefined; readonly length: number } | undefined {
  if (bytes.length < V2_HEADER_BYTES) return undefined;
  const [command, family, size] = [bytes[12] ?? 0, bytes[13] ?? 0, bytes.readUInt16BE(14)];
  if (command >> 4 !== 2 || size > V2_MAX_BYTES) throw new Error('malformed PROXY header');
  const length = V2_HEADER_BYTES + size;
  if (bytes.length < length) return undefined;
  if ((command & 0x0f) === 0) return { source: undefined, length };
  const body = bytes.subarray(V2_HEADER_BYTES, length);
  if (family === 0x11 && size >= 12)
    return { source: { address: body.subarray(0, 4).join('.'), port: body.readUInt16BE(8) }, length };
  if (family === 0x21 && size >= 36) {
    const groups = Array.from({ length: 8 }, (_, i) => body.readUInt16BE(2 * i).toString(16));
    return { source: { address: groups.join(':'), port: body.readUInt16BE(32) }, length };
  }
  return { source: undefined, length };
}

function nextChunk(socket: Socket, timeout: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined, chunk?: Buffer): void => {
      socket.removeListener('readable', onReadable);
      socket.removeListener('close', onClose);
      timeout.removeEventListener('abort', onTimeout);
      if (chunk === undefined) reject(error ?? new Error('closed'));
      else resolve(chunk);
    };
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk !== null) settle(undefined, chunk);
    };
    const onClose = (): void => settle(new Error('closed before its PROXY header'));
    const onTimeout = (): void => settle(new Error('no PROXY header in time'));
    socket.on('readable', onReadable);
    socket.once('close', onClose);
    timeout.addEventListener('abort', onTimeout);
    if (timeout.aborted) onTimeout();
  });
}
