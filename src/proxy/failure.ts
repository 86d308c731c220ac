import { systemCode, TunnelError } from '../errors.ts';

/** What stands in the way of an answer, in words for a page. */
export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly why: string;
  readonly hint: readonly string[];
}

/** The request reached an upstream, whose answer did not come or cannot be used. */
export class UpstreamError extends TunnelError {
  readonly exitStatus = 1;
}

/** One place turns a cause into a status: 503 for want of a session, 504 for want of time, 502 for the rest. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof TunnelError)) {
    const why = error instanceof Error ? error.message : String(error);
    return { status: 500, code: 'proxy-fault', why: `The request could not be served: ${why}`, hint: [] };
  }
  const { code, message: why, hint } = error;
  return { status: statusOf(error), code, why, hint };
}

function statusOf(error: TunnelError): number {
  if (isWaiting(error)) return 503;
  return error.code === 'answer-timeout' || error.code === 'connect-timeout' ? 504 : 502;
}

/** There is no way to any upstream now, and there may be one soon. */
export function isWaiting(error: unknown): boolean {
  return error instanceof TunnelError && (error.exitStatus === 255 || error.code === 'held-too-long');
}

/** The connection was closed or lost, as opposed to an answer that is no HTTP. */
export function isHangUp(error: unknown): boolean {
  return !(error instanceof TunnelError) && !(systemCode(error) ?? '').startsWith('HPE_');
}

export function toUpstreamError(error: unknown, upstream: string): TunnelError {
  if (error instanceof TunnelError) return error;
  const why = error instanceof Error ? error.message : String(error);
  if (!isHangUp(error)) {
    const hint = ['Is it another port or socket of the app, or does it speak TLS?'];
    return new UpstreamError('answer-not-http', `What ${upstream} answered is not HTTP: ${why}`, {
      hint,
      cause: error,
    });
  }
  return new UpstreamError('upstream-hung-up', `${upstream} closed the connection without an answer`, {
    hint: ['Its log may say why.'],
    cause: error,
  });
}
