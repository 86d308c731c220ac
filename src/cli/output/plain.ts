import type { SessionEvent } from '../../session/events.ts';
import { forwardLine, requestLine, viaLine, waitingLine } from './lines.ts';
import { messages } from './messages.ts';
import type { Output, OutputOptions, Screens } from './output.ts';
import { plain } from './screen.ts';

/** Lines without control characters, for a pipe, a log file or a terminal that cannot redraw. */
export function plainOutput(options: OutputOptions, { stdout, stderr }: Screens): Output {
  const say = messages(options, plain, (line) => stderr.write(`${line}\n`));
  let announced = false;
  let trouble = '';

  const event = (event: SessionEvent) => {
    switch (event.type) {
      case 'connecting':
        if (!announced && event.phase !== 'resolving') say.note(`Connecting to ${event.host}`);
        announced ||= event.phase !== 'resolving';
        break;
      case 'ready':
        say.note(`Connected to ${event.host} as ${event.user}@${event.address}`);
        break;
      case 'request':
        if (options.verbosity > 0) say.note(requestLine(event.request, plain));
        break;
      case 'via':
        say.note(viaLine(event, plain));
        break;
      case 'waiting':
        trouble = event.error.message;
        say.note(waitingLine(event, plain));
        break;
      case 'cancelled':
        say.note(`No longer: ${forwardLine(event.forward, plain)}`);
        break;
      case 'forward':
        if (!options.quiet) stdout.write(`${forwardLine(event.forward, plain)}\n`);
        break;
      case 'warning':
      case 'debug':
        say[event.type](event.message);
        break;
      case 'error':
        // That the connection is lost was said once, and is true of every connection over it.
        if (event.error.message !== trouble) say.error(event.error);
        break;
      case 'connection':
      case 'closed': // The error that ended the session ends the program, and is printed by it.
        break;
    }
  };

  return { event, note: say.note, watch() {}, suspend() {}, resume() {}, close: say.flush };
}
