import { isIPv6 } from '../ip-address.ts';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';

/**
 * The host is the first word; after ports and sockets it is the last (`tunnel 8081 vps`). `command` is what stands
 * before them, with a space.
 */
export function splitWords(
  words: readonly string[],
  listed: readonly string[],
  command = '',
): { host: string; specs: string[] } {
  const first = words[0];
  if (first !== undefined && couldBeHost(first))
    return { host: first, specs: [...words.slice(1), ...listed] };
  const last = words.at(-1);
  if (words.length > 1 && last !== undefined && couldBeHost(last)) {
    return { host: last, specs: [...words.slice(0, -1), ...listed] };
  }
  throw noHost(words, listed, command);
}

/**
 * Whether a word in the host's place can be meant as a host. `name:22` can; a port, `8080:3000`, `auto:3000`, a path
 * and anything with more parts cannot. A malformed host still counts, to be refused as a host.
 */
export function couldBeHost(word: string): boolean {
  if (/^\d+(:|$)|^(auto|unix):|^[*~]/.test(word)) return false;
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(word)) return true;
  if (/^[^@]*\//.test(word)) return false;
  const host = word.slice(word.lastIndexOf('@') + 1);
  return isIPv6(host) || /^(\[[^\]]*\]|[^:]*)(:[^:]*)?$/.test(host);
}

function noHost(words: readonly string[], listed: readonly string[], command: string): UsageError {
  const host = words.find((word) => couldBeHost(word)) ?? 'HOST';
  const specs = words.length > 0 ? words.filter((word) => word !== host) : listed;
  return new UsageError('no-host', `Which host? ${whyNoHost(words)}`, {
    hint: [
      `Name it before the ports: tunnel ${command}${host} ${specs.length > 0 ? specs.join(' ') : '8081'}`,
      ...(command === '' ? [] : [`A host that is called ${command.trim()}: tunnel -- ${command}8081`]),
      'tunnel --help shows examples.',
    ],
  });
}

function whyNoHost([first, ...others]: readonly string[]): string {
  if (first === undefined) return 'None is named';
  const last = others.at(-1);
  if (last === undefined) return `${quoted(first)} says what to forward`;
  return `Neither the first word ${quoted(first)} nor the last ${quoted(last)} can be one`;
}
