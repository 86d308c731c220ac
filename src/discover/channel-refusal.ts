import { shellWord } from '../shell-word.ts';
import { excerpt } from './excerpt.ts';

/** What a server says when it does not open a channel: RFC 4254, section 5.1. */
export interface ChannelRefusal {
  readonly reason: number;
  readonly description: string;
}

export const openFailure = {
  prohibited: 1,
  connectFailed: 2,
  unknownChannelType: 3,
  resourceShortage: 4,
} as const;

/** How to see which settings of sshd hold for a user; `words` are parts of their names. */
export function showSettings(user: string, words: readonly string[]): string {
  return `sudo sshd -T -C user=${shellWord(excerpt(user))} | grep -E '${words.join('|')}'`;
}
