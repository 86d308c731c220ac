import { setTimeout as delay } from 'node:timers/promises';
import { open, type FileHandle } from 'node:fs/promises';
import { NotFoundError, systemCode } from '../../errors.ts';
import { runningSessions, matching } from '../../session/control/sessions.ts';
import { logPath } from '../../session/log-file.ts';
import { readEvent, type EventReport } from '../../session/report.ts';
import { printable } from '../../printable.ts';
import type { LogsCommand } from '../command.ts';
import { logLines } from '../output/log-lines.ts';
import type { Screens } from '../output/output.ts';
import { painter } from '../output/screen.ts';
import { catchStopSignals, signalStatus } from '../signals.ts';

const POLL_MS = 250;
const CHUNK_BYTES = 64 * 1024;

/**
 * Shows what a session has told, also one that has ended; with `follow` it goes on until Ctrl-C. Fulfils with the exit
 * status; throws a `NotFoundError` where there is no log.
 */
export async function logs(command: LogsCommand, screens: Screens = process): Promise<number> {
  const stop = catchStopSignals();
  const { sessions } = await runningSessions();
  const name = matching(sessions, command.session)[0]?.status.name ?? command.session;
  const path = logPath(name);
  const older = await openLog(`${path}.1`);
  const log = await openLog(path);
  if (log === undefined) {
    throw new NotFoundError('no-log', `There is no log of a session ${name}`, {
      hint: ['tunnel ls shows the sessions that are open.'],
    });
  }
  const print = printer(command, screens);
  if (older !== undefined) await new LogReader(older, print).close();
  const reader = new LogReader(log, print);
  if (!command.follow) {
    await reader.close();
    return 0;
  }
  await followLog(reader, path, print, stop.first);
  return stop.received === undefined ? 0 : signalStatus(stop.received);
}

/** A log that has become too large is moved aside, and a new one is begun in its place. */
async function followLog(
  first: LogReader,
  path: string,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let reader = first;
  while (!signal.aborted) {
    await reader.read();
    const current = await openLog(path);
    if (current !== undefined && (await reader.isOf(current))) await current.close();
    else if (current !== undefined) {
      await reader.close();
      reader = new LogReader(current, print);
      continue;
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  await reader.close();
}

class LogReader {
  readonly #file: FileHandle;
  readonly #print: (line: string) => void;
  #rest = '';

  constructor(file: FileHandle, print: (line: string) => void) {
    this.#file = file;
    this.#print = print;
  }

  /** Prints the whole lines that have come. */
  async read(): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(CHUNK_BYTES));
      if (bytesRead === 0) return;
      const lines = (this.#rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).split(
        '\n',
      );
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#print(line);
    }
  }

  async isOf(other: FileHandle): Promise<boolean> {
    const [ours, theirs] = await Promise.all([this.#file.stat(), other.stat()]);
    return ours.ino === theirs.ino && ours.dev === theirs.dev;
  }

  /** Prints what is left, and closes the file. */
  async close(): Promise<void> {
    await this.read();
    await this.#file.close();
  }
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function printer({ json, verbosity }: LogsCommand, { stdout }: Screens): (line: string) => void {
  const paint = painter(stdout);
  return (line) => {
    if (json) return void stdout.write(`${line}\n`);
    let report: EventReport;
    try {
      report = JSON.parse(line) as EventReport;
    } catch {
      // A line that was cut off by a full disk.
      return void stdout.write(`${printable(line)}\n`);
    }
    if (report.event === 'debug' && verbosity === 0) return;
    for (const text of logLines(report.time, readEvent(report), paint)) stdout.write(`${text}\n`);
  };
}
