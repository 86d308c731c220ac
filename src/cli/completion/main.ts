import { writeFileSync } from 'node:fs';
import { candidates, type Candidates } from './candidates.ts';
import { splitLine } from './split-line.ts';

/**
 * `tunnel __complete SHELL …`, which the scripts in completions/ call; bin/tunnel.js loads this alone. The first line
 * that is printed says `files` if names of files go as well, the others are the candidates. Whatever goes wrong, nothing
 * else is printed: it would be in the line that somebody is typing.
 */
export function complete([shell, ...args]: readonly string[]): void {
  try {
    const lines = shell === 'bash' ? forBash(args) : described(candidates(args));
    // process.stdout would take as long to load as all of this.
    writeFileSync(1, lines.map((line) => `${line}\n`).join(''));
  } catch {
    // There is nothing to offer, or nobody reads it.
  }
}

/** zsh and fish choose and quote by themselves, and show what each is. */
function described({ items, prefix, files }: Candidates): string[] {
  const lines = items.map(({ value, about = '' }) => `${prefix}${value}\t${about}`);
  return [files ? 'files' : '', ...lines.filter((line) => !line.includes('\n'))];
}

/**
 * Readline replaces only what follows the last of the characters that end a word for it ("a=b", "host:22"), and takes
 * what it is given as it is, so the rest is left out and what the shell would change is quoted.
 */
function forBash([line = '', breaks = '']: readonly string[]): string[] {
  const { words, quote } = splitLine(line);
  const typed = words.slice(1);
  const current = typed.at(-1) ?? '';
  const { items, prefix, files } = candidates(typed);
  const matching = items.map(({ value }) => prefix + value).filter((value) => value.startsWith(current));
  const kept = quote === '' ? lastBreak(current, breaks) : 0;
  const replies = matching.map((value) => quoted(value.slice(kept), quote, kept === 0));
  return [files && matching.length === 0 ? 'files' : '', ...replies.filter((reply) => !reply.includes('\n'))];
}

function lastBreak(current: string, breaks: string): number {
  return Math.max(...Array.from(current, (letter, index) => (breaks.includes(letter) ? index + 1 : 0)), 0);
}

function quoted(value: string, quote: string, isStart: boolean): string {
  if (quote === "'") return value;
  // Most are plain, and what knows the letters of every script takes long to compile.
  if (/^[\w@%+=:,./-]*$/.test(value)) return value;
  if (quote === '"') return value.replaceAll(/["\\$`]/g, String.raw`\$&`);
  const escaped = value.replaceAll(/[^\p{L}\p{N}_@%+=:,./~^[\]-]/gu, String.raw`\$&`);
  return isStart ? escaped.replace(/^~/, String.raw`\~`) : escaped;
}
