import type { HostSettings } from '../../config/settings.ts';
import { bracketed } from '../../endpoint.ts';
import type { SshContext } from '../context.ts';

/** Lines of ssh that are kept to explain its end. */
const KEPT = 40;

/** What ssh says of a login that a person need not read, or reads in the error that follows. */
const EXPECTED =
  /^Authenticated |Permission denied \(|Too many authentication failures|^(?:Connection|Received disconnect|Disconnected) /;

/** Of what ssh says in several lines only the last has a carriage return; this one is of a changed host key. */
const UNENDED = /^The fingerprint for the \S+ key sent by the remote host is$/;

/**
 * What ssh writes, taken apart: what it says itself, what others say through it, and how it tries to log in.
 *
 * A banner is written as the server sent it. It could look like anything of ssh's own, which is why no more than words
 * may depend on what is read here during the login.
 */
export class Transcript {
  /** What ssh itself said since its start, or since it was connected, without its debug messages. */
  messages: string[] = [];
  /** Keys and methods, in order. */
  readonly tried: string[] = [];
  /** For people: the address that was reached, or how. */
  address: string;
  /** The host itself has answered, and not only what leads to it. */
  heard = false;
  readonly #context: SshContext;
  #stage: 'connecting' | 'authenticating' | 'connected' = 'connecting';

  constructor(settings: HostSettings, context: SshContext) {
    this.#context = context;
    this.address = startAddress(settings);
  }

  /** From now on the server is known, and the person is asked and told. */
  authenticating(): void {
    this.#stage = 'authenticating';
  }

  /** What comes now is no longer about the login. */
  connected(): void {
    this.#stage = 'connected';
    this.messages = [];
  }

  /** One line without its line feed. ssh ends its own with a carriage return as well; others may, too. */
  read(line: string): void {
    if (/^debug[123]: /.test(line)) this.#readDebug(line);
    else if (line.endsWith('\r') || UNENDED.test(line)) this.#readMessage(printable(line));
    else if (this.#stage === 'connected') this.#context.debug(printable(line));
    else if (line !== '') this.#context.warn(printable(line));
  }

  #readMessage(text: string): void {
    this.messages.push(text);
    if (this.messages.length > KEPT) this.messages.shift();
    const isForPerson = this.#stage === 'authenticating' && !EXPECTED.test(text);
    if (text.startsWith('Warning: ')) this.#context.warn(text.slice('Warning: '.length));
    else if (isForPerson) this.#context.warn(text);
    else this.#context.debug(text);
    if (/^Authenticated using .* with partial success\.$/.test(text)) this.tried.push('(accepted in part)');
  }

  #readDebug(line: string): void {
    if (this.#stage === 'connected' || !line.startsWith('debug1: ')) {
      this.#context.trace?.(printable(line));
      return;
    }
    const text = printable(line);
    this.#context.debug(text);
    if (text.startsWith('debug1: Remote protocol version ')) this.heard = true;
    const address = /^debug1: Connecting to \S+ \[(.*)\] port (\d+)\.$/.exec(text);
    if (address !== null) this.address = `${bracketed(address[1] ?? '')}:${address[2]}`;
    const tried =
      /^debug1: (?:Offering public key: (\S+)|Next authentication method: (?!publickey)(.+))/.exec(text);
    if (tried !== null) this.tried.push(tried[1] ?? tried[2] ?? '');
  }
}

/** Where ssh connects by itself it tells the address. */
function startAddress({ hostname, port, proxyJump, proxyCommand }: HostSettings): string {
  if (proxyJump.length > 0) return `${hostname}:${port} via ${proxyJump.join(', ')}`;
  return proxyCommand === undefined ? `${bracketed(hostname)}:${port}` : 'ProxyCommand';
}

/** A server's banner is a stranger's text: it must not move the cursor or colour the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '').trimEnd();
}
