import { parseDestination } from '../destination.ts';
import { assembleAlgorithms, type DEFAULT_ALGORITHMS } from './algorithms.ts';
import type { ConfigLine } from './config-line.ts';
import { formatForwarding, type Direction } from './forwarding.ts';
import { splitHops } from './hops.ts';
import { parseBytes, parseSeconds } from './quantities.ts';

/** Reads the values of one line, as `ssh -G` would print each. Throws the line's error for a wrong one. */
export type ReadValues = (line: ConfigLine, env: NodeJS.ProcessEnv) => readonly string[];

const TRUE_FALSE = { yes: 'true', true: 'true', no: 'false', false: 'false' };

/** `yes` or `no`. */
export const flag = anyOf({ yes: 'yes', true: 'yes', no: 'no', false: 'no' });

/** `yes`, `no` or one of these. Where there are more answers than two, ssh -G prints `true` and `false`. */
export function choice(...others: string[]): ReadValues {
  return anyOf({ ...TRUE_FALSE, ...Object.fromEntries(others.map((word) => [word, word])) });
}

/** One of these words, in any case, for what ssh -G prints for each. */
export function anyOf(values: Readonly<Record<string, string>>): ReadValues {
  return (line) => {
    const word = single(line);
    const value = values[word.toLowerCase()];
    if (value === undefined)
      throw line.refuse(`${JSON.stringify(word)} is none of ${Object.keys(values).join(', ')}`);
    return [value];
  };
}

/** One word, or several in quotes. */
export const text: ReadValues = (line) => [single(line)];

/** Several values, of which each counts for itself. */
export const words: ReadValues = (line) => line.words;

/** Several words that are one value. */
export const list: ReadValues = (line) => {
  if (line.words.includes('')) throw line.refuse('it has an empty word');
  const none = line.words.some((word) => word.toLowerCase() === 'none');
  if (none && line.words.length > 1) throw line.refuse('"none" stands alone');
  return [line.words.join(' ')];
};

/** The rest of the line with its quotes. ssh does not look for a comment in a command (readconf.c, parse_command). */
export const command: ReadValues = (line) => [line.text.replace(/^[\s=]+/, '')];

/** `ProxyJump`: the rest of the line up to a comment, which has to be "none" or hosts. */
export const hops: ReadValues = (line) => {
  const jump = line.text.replace(/^[\s=]+/, '').replace(/\s*#.*$/s, '');
  try {
    splitHops(jump).forEach(parseDestination);
  } catch (error) {
    throw line.refuse(error instanceof Error ? error.message : String(error));
  }
  return [jump];
};

export const number = parsed(parseWhole, 'a number');

export const positive = parsed((word) => parseWhole(word) || undefined, 'a number from 1 up');

export const port = parsed((word) => {
  const value = parseWhole(word) ?? 0;
  return value >= 1 && value <= 65_535 ? value : undefined;
}, 'a port from 1 to 65535');

const time = parsed(parseSeconds, 'a time');

/** For ssh, `none` is as good as not written: a later line counts. */
export const seconds: ReadValues = (line, env) => (single(line) === 'none' ? [] : time(line, env));

/** `ControlPersist`: yes, no or a time. */
export const switchOrTime: ReadValues = (line, env) => {
  return parseSeconds(single(line)) === undefined ? flag(line, env) : time(line, env);
};

/** One word for both of two uses, or one for each. */
export const pair: ReadValues = (line) => {
  const [first = '', second = first, ...more] = line.words;
  if (first === '' || more.length > 0) throw line.refuse('it is not one word or two');
  return [`${first} ${second}`];
};

export const octal: ReadValues = (line) => {
  const word = single(line);
  if (!/^0*[0-7]{1,3}$/.test(word)) throw line.refuse(`${JSON.stringify(word)} is not an octal mode`);
  return [`0${Number.parseInt(word, 8).toString(8)}`];
};

export const bytesAndSeconds: ReadValues = (line) => {
  const [size = '', interval = 'none', ...more] = line.words;
  const bytes = size === 'default' ? 0 : parseBytes(size);
  const duration = interval === 'none' ? 0 : parseSeconds(interval);
  if (bytes === undefined || duration === undefined || more.length > 0) {
    throw line.refuse('it is not a number of bytes and a time');
  }
  if (bytes > 0 && bytes < 16) throw line.refuse('it is less than 16 bytes');
  return [`${bytes} ${duration}`];
};

/** `AddKeysToAgent`: yes, no, ask, a time, `confirm`, or `confirm` and a time. */
export const lifetime: ReadValues = (line, env) => {
  const [word = '', duration] = line.words;
  if (word.toLowerCase() !== 'confirm' || duration === undefined) {
    return parseSeconds(word) === undefined ? choice('ask', 'confirm')(line, env) : time(line, env);
  }
  const value = parseSeconds(duration);
  if (value === undefined || line.words.length > 2)
    throw line.refuse('"confirm" is followed by a time alone');
  return [`confirm ${value}`];
};

export function algorithms(option: keyof typeof DEFAULT_ALGORITHMS): ReadValues {
  return (line) => {
    const names = assembleAlgorithms(option, single(line));
    if (names === '') throw line.refuse('it leaves no algorithm');
    return [names];
  };
}

export function forwarding(direction: Direction): ReadValues {
  return (line, env) => [formatForwarding(direction, line, env)];
}

function parsed(parse: (word: string) => number | undefined, what: string): ReadValues {
  return (line) => {
    const word = single(line);
    const value = parse(word);
    if (value === undefined) throw line.refuse(`${JSON.stringify(word)} is not ${what}`);
    return [String(value)];
  };
}

function parseWhole(word: string): number | undefined {
  return /^\d{1,9}$/.test(word) ? Number(word) : undefined;
}

function single(line: ConfigLine): string {
  const [word, ...more] = line.words;
  if (word === undefined || word === '') throw line.refuse('it has no value');
  if (more.length > 0)
    throw line.refuse(`there is more after ${JSON.stringify(word)}; a value with spaces is in quotes`);
  return word;
}
