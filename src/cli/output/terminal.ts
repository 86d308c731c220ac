import ora from 'ora';
import type { ForwardView, SessionEvent } from '../../session/events.ts';
import type { Traffic } from '../../session/session.ts';
import {
  forwardLine,
  forwardPieces,
  readyLine,
  requestLine,
  retryLine,
  trafficLine,
  viaLine,
  waitingLine,
} from './lines.ts';
import { messages } from './messages.ts';
import type { Output, OutputOptions, Screens } from './output.ts';
import { printable } from '../../printable.ts';
import { cut } from './cut.ts';
import { fold } from './fold.ts';
import { hasUtf8 } from './marks.ts';
import { rateMeter } from './rate.ts';
import { columnsOf, painter, plain } from './screen.ts';
import { statusLine, type StatusLine } from './status-line.ts';

/**
 * For a person at a terminal, on standard error: a spinner until the session is ready, a line for the host and one a
 * forward, then a live line. When standard output goes elsewhere, whoever reads it gets the forwards instead.
 */
export function terminalOutput(options: OutputOptions, { stdout, stderr }: Screens): Output {
  const paint = painter(stderr);
  const spinner = ora({
    stream: stderr as NodeJS.WriteStream,
    isEnabled: true,
    // Else ora puts standard input into raw mode and reads it, which is not ours to take.
    discardStdin: false,
    ...(!hasUtf8 && { spinner: 'line' }),
    color: paint === plain ? false : 'cyan',
  });
  let status: StatusLine | undefined;
  let paused: (() => void) | undefined;
  let traffic: () => Traffic = () => ({ open: 0, total: 0, bytesUp: 0, bytesDown: 0 });
  let retryAt: number | undefined;
  let trouble = '';

  const print = (line: string) => {
    if (status) status.print(line);
    else stderr.write(`${line}\n`); // ora moves its spinner out of the way
  };
  const say = messages(options, paint, print);

  const foldedForward = (forward: ForwardView) => {
    const [listen = '', ...others] = forwardPieces(forward, paint);
    return fold([`  ${listen}`, ...others], columnsOf(stderr), '    ');
  };

  const connecting = ({ host, phase }: SessionEvent & { type: 'connecting' }) => {
    spinner.text = cut(printable(PHASES[phase](host)), columnsOf(stderr) - 3);
    if (!paused && !status) spinner.start();
  };

  const event = (event: SessionEvent) => {
    switch (event.type) {
      case 'connecting':
        connecting(event);
        break;
      case 'ready':
        stopSpinner();
        retryAt = undefined;
        print(readyLine(event, paint));
        break;
      case 'request':
        if (options.verbosity > 0) print(requestLine(event.request, paint));
        break;
      case 'via':
        print(viaLine(event, paint));
        break;
      case 'waiting':
        stopSpinner();
        // Each try that fails for the same reason is told by the live line alone.
        if (event.error.message !== trouble) print(waitingLine(event, paint));
        trouble = event.error.message;
        retryAt = performance.now() + event.retryInMs;
        watching();
        break;
      case 'cancelled':
        print(`  ${paint('dim', `no longer: ${forwardLine(event.forward, plain)}`)}`);
        break;
      case 'forward':
        if (stdout.isTTY) print(foldedForward(event.forward));
        else {
          status?.giveWay();
          stdout.write(`${forwardLine(event.forward, plain)}\n`);
        }
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

  // ora moves the cursor even when there is nothing to stop.
  const stopSpinner = () => {
    if (spinner.isSpinning) spinner.stop();
  };

  const watching = () => {
    const start = performance.now();
    const rate = rateMeter();
    const line = (columns: number) => {
      if (retryAt !== undefined) return retryLine(retryAt - performance.now());
      const now = traffic();
      return trafficLine(now, rate(now), performance.now() - start, columns);
    };
    // Whoever reads standard output may write to the same terminal, as `| cat` does.
    status ??= statusLine(stderr, paint, line, !stdout.isTTY);
    if (!paused) status.show();
  };

  const watch = (source: () => Traffic) => {
    stopSpinner();
    traffic = source;
    watching();
  };

  const suspend = () => {
    const { isSpinning } = spinner;
    stopSpinner();
    status?.hide();
    paused = () => (status ? status.show() : isSpinning && spinner.start());
  };

  const resume = () => {
    paused?.();
    paused = undefined;
  };

  const close = () => {
    stopSpinner();
    status?.hide();
    say.flush();
  };

  return { event, note: say.note, watch, suspend, resume, close };
}

const PHASES = {
  resolving: (host: string) => `Looking up ${host}`,
  connecting: (host: string) => `Connecting to ${host}`,
  authenticating: (host: string) => `Logging in to ${host}`,
};
