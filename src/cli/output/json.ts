import { eventReport } from '../../session/report.ts';
import type { SessionEvent } from '../../session/events.ts';
import { messages } from './messages.ts';
import type { Output, OutputOptions, Screens } from './output.ts';
import { plain } from './screen.ts';

/** There may be thousands a second of these. */
const MANY = new Set<SessionEvent['type']>(['connection', 'request']);

/** What a reader may lag behind before these events are left out; the others are few. */
const LAG_BYTES = 1024 * 1024;

/** One JSON object a line on standard output. The names are documented in the README and stay as they are. */
export function jsonOutput(options: OutputOptions, { stdout, stderr }: Screens): Output {
  const say = messages(options, plain, (line) => stderr.write(`${line}\n`));

  const event = (event: SessionEvent) => {
    if (event.type === 'warning' || event.type === 'debug') say[event.type](event.message);
    else if (!MANY.has(event.type) || (stdout.writableLength ?? 0) < LAG_BYTES) {
      stdout.write(`${JSON.stringify(eventReport(event))}\n`);
    }
  };

  return { event, note: say.note, watch() {}, suspend() {}, resume() {}, close() {} };
}
