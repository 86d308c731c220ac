import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';

/** Returns what follows `-o` if it is `Name=value` or `Name value`; throws a `UsageError` (`bad-option`). */
export function checkOption(option: string): string {
  if (!/^\s*[A-Za-z]\w*(\s*=\s*|\s+)[^\s=]/.test(option) || /\p{Cc}/u.test(option.replaceAll('\t', ' '))) {
    throw new UsageError('bad-option', `-o ${quoted(option)} is not an ssh_config option with its value`, {
      hint: ['Write Name=value, for example: -o ConnectTimeout=10'],
    });
  }
  return option;
}
