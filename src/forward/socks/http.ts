/** Whether a first byte begins the method of an HTTP request: those are in capitals (RFC 9110, section 9.1). */
export function looksLikeHttp(firstByte: number): boolean {
  return firstByte >= 0x41 && firstByte <= 0x5a;
}

const body = 'This is a SOCKS proxy (versions 4, 4a and 5), not an HTTP proxy. Set it as a SOCKS proxy.\n';

/** For the person who has set this port as an HTTP proxy, or opened it in a browser. */
export const httpAnswer = Buffer.from(
  [
    'HTTP/1.0 400 Bad Request',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n'),
);
