import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import type { Command } from './command.ts';
import { readSaying, readSpecs, type Line } from './line.ts';

export function readForwards(name: 'add' | 'cancel', { words, flags }: Line): Command {
  const [session, ...specs] = words;
  const forwards = readSpecs([...specs, ...(flags.forward ?? [])], flags, name);
  if (session === undefined || forwards.length === 0) {
    throw new UsageError('missing-word', `tunnel ${name} needs a session and what to forward`, {
      hint: [`For example: tunnel ${name} ${session ?? 'vps'} 5000`],
    });
  }
  return { name, session, forwards, ...readSaying(flags) };
}

export function oneOf(command: string, words: readonly string[]): string {
  const [first, second] = words;
  if (first === undefined || second !== undefined) {
    const why = first === undefined ? 'needs the name of a session' : `takes one name, not ${words.length}`;
    throw new UsageError('missing-word', `tunnel ${command} ${why}`, {
      hint: ['tunnel ls shows the names.'],
    });
  }
  return first;
}

export function someOf(command: string, words: readonly string[], otherwise: string): readonly string[] {
  if (words.length > 0) return words;
  throw new UsageError('missing-word', `tunnel ${command} needs the name of a session`, {
    hint: [`tunnel ls shows the names${otherwise}`],
  });
}

export function allOf(words: readonly string[]): readonly string[] {
  const [word] = words;
  if (word === undefined) return ['*'];
  throw new UsageError('unexpected-word', `--all leaves no room for ${quoted(word)}`, {
    hint: ['Give names or --all.'],
  });
}
