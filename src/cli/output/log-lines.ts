import type { SessionEvent } from '../../session/events.ts';
import { printable } from '../../printable.ts';
import { errorLines, forwardLine, readyLine, requestLine, viaLine, waitingLine } from './lines.ts';
import type { Paint } from './screen.ts';

/** An event of a log, in the words of the terminal and after the local time. */
export function logLines(time: string, event: SessionEvent, paint: Paint): string[] {
  const [first = '', ...rest] = eventLines(event, paint);
  return [`${paint('dim', localTime(time))} ${first}`, ...rest.map((line) => `${' '.repeat(20)}${line}`)];
}

function eventLines(event: SessionEvent, paint: Paint): string[] {
  switch (event.type) {
    case 'connecting':
      return [`${event.phase} ${printable(event.host)}`];
    case 'ready':
      return [readyLine(event, paint)];
    case 'via':
      return [viaLine(event, paint)];
    case 'waiting':
      return [waitingLine(event, paint)];
    case 'forward':
      return [forwardLine(event.forward, paint)];
    case 'cancelled':
      return [`${forwardLine(event.forward, paint)} (no longer)`];
    case 'connection':
      return [`connection ${event.state}: ${forwardLine(event.forward, paint)}`];
    case 'request':
      return [requestLine(event.request, paint)];
    case 'warning':
      return [`${paint('yellow', '!')} ${printable(event.message)}`];
    case 'debug':
      return [paint('dim', `debug: ${printable(event.message)}`)];
    case 'error':
      return errorLines(event.error, paint);
    case 'closed':
      return event.error === undefined ? ['closed'] : errorLines(event.error, paint);
  }
}

/** `2026-11-25 10:04:31`, in the person's time zone. */
function localTime(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19).replace('T', ' ');
}
