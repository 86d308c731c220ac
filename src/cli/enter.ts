import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { SessionEvent } from '../session/events.ts';

/** Calls `listener` for each Enter on the terminal while `listen(true)` holds. */
export interface EnterKey {
  listen(on: boolean): void;
  /** Listens while the session waits for its next attempt. */
  follow(event: SessionEvent): void;
  close(): void;
}

/**
 * Standard input is read only while somebody waits for it: what is typed at other times is for a prompt, or for the
 * shell afterwards.
 */
export function onEnter(listener: () => void): EnterKey {
  const { stdin } = process;
  let listening = false;
  const onData = (): void => listener();
  const listen = (on: boolean): void => {
    if (on === listening || (on && !ownsTerminal())) return;
    listening = on;
    if (on) stdin.on('data', onData).resume();
    else stdin.off('data', onData).pause();
  };
  return {
    listen,
    follow({ type }) {
      // Other events come while it waits, too.
      if (type === 'waiting' || type === 'connecting' || type === 'ready') listen(type === 'waiting');
    },
    close: () => listen(false),
  };
}

/** Whether standard input is a terminal in whose foreground we are. */
export function ownsTerminal(): boolean {
  return isatty(0) && isForeground();
}

/**
 * Whether the terminal is ours to read: a background job of a shell that reads it is stopped (SIGTTIN). Where it cannot
 * be told it is not read.
 */
function isForeground(): boolean {
  try {
    // proc(5): after the name in parentheses come state, ppid, pgrp, session, tty_nr, tpgid.
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === foreground;
  } catch {
    return false;
  }
}
