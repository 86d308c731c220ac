import { candidates, type Candidates } from './candidates.ts';
import { splitLine } from './split-line.ts';

/**
 * `tunnel __complete SHELL …`, which the scripts in completions/ call; bin/tunnel.js loads this alone. The first line
 * that is printed says `files` if names of files go as well, the others are the candidates. Whatever goes wrong, nothing
 * else is printed: it would be in the line that somebody is typing.
 */
export async function complete([shell, ...args]: readonly string[]): Promise<void> {
  process.stdout.on('error', () => {});
  try {
    const lines = shell === 'bash' ? await forBash(args) : described(await candidates(args));
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  } catch {
    // There is nothing to offer.
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
async function forBash([line = '', breaks = '']: readonly string[]): Promise<string[]> {
  const { words, quote } = splitLine(line);
  const typed = words.slice(1);
  const current = typed.at(-1) ?? '';
  const { items, prefix, files } = await candidates(typed);
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
  if (quote === '"') return value.replaceAll(/["\\$`]/g, String.raw`\$&`);
  const escaped = value.replaceAll(/[^\p{L}\p{N}_@%+=:,./~^[\]-]/gu, String.raw`\$&`);
  return isStart ? escaped.replace(/^~/, String.raw`\~`) : escaped;
}
