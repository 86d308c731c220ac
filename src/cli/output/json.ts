import { formatEndpoint } from '../../endpoint.ts';
import type { TunnelError } from '../../errors.ts';
import type { Forward } from '../../forward/forward.ts';
import type { SessionEvent } from '../../session/events.ts';
import { formatListen } from '../../spec.ts';
import { localUrl } from './address.ts';
import { messages } from './messages.ts';
import type { Output, OutputOptions, Screens } from './output.ts';
import { plain } from './screen.ts';

/** What a reader may lag behind before `connection` events are left out; the others are few. */
const LAG_BYTES = 1024 * 1024;

/** One JSON object a line on standard output. The names are documented in the README and stay as they are. */
export function jsonOutput(options: OutputOptions, { stdout, stderr }: Screens): Output {
  const say = messages(options, plain, (line) => stderr.write(`${line}\n`));

  const event = (event: SessionEvent) => {
    if (event.type === 'warning' || event.type === 'debug') say[event.type](event.message);
    else if (event.type !== 'connection' || (stdout.writableLength ?? 0) < LAG_BYTES) {
      stdout.write(
        `${JSON.stringify({ event: event.type, time: new Date().toISOString(), ...fields(event) })}\n`,
      );
    }
  };

  return { event, note: say.note, watch() {}, suspend() {}, resume() {}, close() {} };
}

function fields(event: Exclude<SessionEvent, { type: 'warning' | 'debug' }>): object {
  switch (event.type) {
    case 'connecting':
      return { host: event.host, phase: event.phase };
    case 'ready':
      return { host: event.host, user: event.user, address: event.address };
    case 'forward':
      return { ...addresses(event.forward), url: localUrl(event.forward) };
    case 'connection': {
      const { open, total, bytesUp, bytesDown } = event.forward;
      return { state: event.state, ...addresses(event.forward), open, total, bytesUp, bytesDown };
    }
    case 'error':
      return { ...describe(event.error), ...(event.forward && addresses(event.forward)) };
  }
  return { host: event.host, error: event.error && describe(event.error) };
}

function addresses({ spec, bound }: Forward): object {
  const listen = bound.map(formatListen);
  if (spec.kind === 'dynamic') return { kind: spec.kind, listen };
  return {
    kind: spec.kind,
    listen,
    connect: spec.connect === 'socks' ? 'socks' : formatEndpoint(spec.connect),
  };
}

function describe({ code, message, hint }: TunnelError): object {
  return { code, message, hint };
}
