import { formatEndpoint, type Endpoint } from '../endpoint.ts';
import { DialError } from '../errors.ts';

/** The server refused to open a channel (RFC 4254, section 5.1): its reason code and its own words. */
export class ChannelOpenError extends DialError {
  readonly endpoint: Endpoint;
  readonly reason: number;
  readonly description: string;

  constructor(endpoint: Endpoint, reason: number, cause: Error) {
    super('channel-open-failed', `The server did not open ${formatEndpoint(endpoint)}`, { cause });
    this.endpoint = endpoint;
    this.reason = reason;
    this.description = cause.message.replace(/^\(SSH\) Channel open failure: /, '');
  }
}
