import { closeSync, fchmodSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateDirectory, stateDirectory } from '../config/directories.ts';

/** A log that has grown beyond this is moved to `NAME.1`, in the place of the one before. */
const MAX_BYTES = 1024 * 1024;

export function logPath(name: string): string {
  return join(stateDirectory(), 'log', `${encodeURIComponent(name)}.jsonl`);
}

/** Makes the directory of the logs where it is missing. Throws a `UsageError` (`unsafe-directory`). */
export function makeLogDirectory(): void {
  makePrivateDirectory(stateDirectory());
  makePrivateDirectory(join(stateDirectory(), 'log'));
}

/**
 * One JSON object a line, in a file that only the user can read. A line that cannot be written is left out, and
 * `onTrouble` is told once until writing works again: a full disk must not end a session.
 */
export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #onTrouble: (why: string) => void;
  #fd: number | undefined;
  #bytes = 0;
  #inTrouble = false;

  constructor(path: string, onTrouble: (why: string) => void, maxBytes = MAX_BYTES) {
    this.#path = path;
    this.#onTrouble = onTrouble;
    this.#maxBytes = maxBytes;
  }

  write(entry: object): void {
    try {
      this.#append(`${JSON.stringify(entry)}\n`);
      this.#inTrouble = false;
    } catch (error) {
      this.close();
      if (this.#inTrouble) return;
      this.#inTrouble = true;
      this.#onTrouble(error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #append(line: string): void {
    if (this.#fd !== undefined && this.#bytes >= this.#maxBytes) {
      this.close();
      renameSync(this.#path, `${this.#path}.1`);
    }
    this.#fd ??= this.#open();
    this.#bytes += writeSync(this.#fd, line);
  }

  #open(): number {
    makeLogDirectory();
    const fd = openSync(this.#path, 'a', 0o600);
    fchmodSync(fd, 0o600);
    this.#bytes = fstatSync(fd).size;
    return fd;
  }
}
