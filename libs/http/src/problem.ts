import { isTransient, messageOf, PantauError, type ErrorCode, type FieldProblem } from '#libs/kernel';
import { HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { indonesianOf, inLanguage, languageOf, type Language } from './language.js';

const STATUS: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  INPUT_LIMIT: 400,
  OUT_OF_RANGE: 400,
  STORE_QUESTION: 400,
  NOT_FOUND: 404,
  DEVICE_UNKNOWN: 404,
  ACCOUNT_UNKNOWN: 404,
  DEVICE_EXISTS: 409,
  SITE_UNKNOWN: 404,
  PROVISIONING_REFUSED: 403,
  OVERLOADED: 429,
  CHECK_RUNNING: 409,
  CHANGED_MEANWHILE: 412,
  IDEMPOTENCY_CONFLICT: 409,
  IDEMPOTENCY_KEY_REUSED: 422,
  TOKEN_INVALID: 401,
  SIGN_IN_REFUSED: 401,
  SECOND_FACTOR_NEEDED: 401,
  CROSS_SITE_REFUSED: 403,
  LINK_INVALID: 404,
  USER_UNKNOWN: 404,
  LAST_ADMINISTRATOR: 409,
  FORBIDDEN: 403,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Permintaan tidak sah / Bad request',
  401: 'Perlu masuk atau token / Sign in, or send a token',
  403: 'Tidak diizinkan / Not allowed',
  404: 'Tidak ditemukan / Not found',
  405: 'Metode tidak didukung / Method not allowed',
  409: 'Bertentangan dengan keadaan sekarang / Conflicts with the present state',
  412: 'Sudah berubah / Changed meanwhile',
  413: 'Terlalu besar / Too large',
  414: 'Alamat terlalu panjang / Path too long',
  415: 'Jenis isi tidak didukung / Unsupported media type',
  422: 'Kunci sudah dipakai / Key in use',
  429: 'Terlalu sering / Too many requests',
  431: 'Header terlalu besar / Header fields too large',
  500: 'Kesalahan di dalam Pantau / Internal error',
  503: 'Sementara tidak tersedia / Temporarily unavailable',
};

/** Whatever was thrown as problem details (RFC 9457). */
export function problemOf(
  error: unknown,
  url: string,
  language?: Language,
): { readonly status: number; readonly [member: string]: unknown } {
  const status = statusOf(error);
  const fields = error instanceof PantauError ? error.fields : undefined;
  const shown = fields?.map((one) => ({
    field: one.field,
    message: (language === 'id' ? inIndonesian(one) : undefined) ?? one.message,
  }));
  return {
    type: 'about:blank',
    title: inLanguage(TITLES[status] ?? 'Kesalahan / Error', language),
    status,
    // What went wrong inside is for the log, not for the caller.
    detail: status === 500 ? undefined : detailOf(error, fields, language),
    code: error instanceof PantauError ? error.code : undefined,
    errors: shown,
    instance: url.split('?')[0],
  };
}

/**
 * In Indonesian what is wrong with the members is the whole of it, where each has words of its own: what Pantau writes beside them
 * is English. Where one has none, the message stays, which says more.
 */
function detailOf(
  error: unknown,
  fields: readonly FieldProblem[] | undefined,
  language: Language | undefined,
): string {
  const said = language === 'id' ? fields?.map(inIndonesian) : undefined;
  if (said === undefined || said.length === 0 || said.includes(undefined))
    return inLanguage(messageOf(error), language);
  return said.map((message, i) => `${fields?.[i]?.field ?? ''}: ${message ?? ''}`).join('; ');
}

function inIndonesian({ message, indonesian }: FieldProblem): string | undefined {
  return indonesian ?? indonesianOf(message);
}

/** Seconds after which whoever was throttled may try again: by then a bucket holds something. */
const RETRY_AFTER_S = 5;

/** @param challenge - how to authenticate, for who did not */
export function sendProblem(
  error: unknown,
  { url, headers }: Pick<FastifyRequest, 'url' | 'headers'>,
  reply: FastifyReply,
  challenge: string,
): number {
  const language = languageOf(headers['accept-language']);
  const problem = problemOf(error, url, language);
  const { status } = problem;
  if (status === 401) void reply.header('www-authenticate', challenge);
  if (language !== undefined) void reply.header('content-language', language);
  void reply.header('vary', 'Accept-Language');
  if (status === 429 && !reply.hasHeader('retry-after')) void reply.header('retry-after', RETRY_AFTER_S);
  void reply.status(status).header('content-type', 'application/problem+json; charset=utf-8').send(problem);
  return status;
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  // Fastify's own, such as a body that is too large.
  const { statusCode } = error as { readonly statusCode?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return statusCode;
  const known = error instanceof PantauError ? STATUS[error.code] : undefined;
  return known ?? (isTransient(error) ? 503 : 500);
}
