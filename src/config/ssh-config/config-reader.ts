import { isAbsolute, join } from 'node:path';
import type { LocalEnvironment } from '../local-environment.ts';
import { expandOption, tokensOf } from '../tokens.ts';
import { matchesHostLine, matchesMatchLine } from './conditions.ts';
import { configError, unknownOptionHint } from './config-error.ts';
import { readLine, type ConfigLine } from './config-line.ts';
import { readConfigFile, type FileRequirements } from './config-file.ts';
import { findFiles } from './find-files.ts';
import { DEPRECATED, findOption, UNSUPPORTED } from './options.ts';
import { matchesPatternList } from './patterns.ts';

/** As in ssh (readconf.c, READCONF_MAX_DEPTH). */
const MAX_INCLUDES = 16;

/** How a file is read. */
interface Reading extends FileRequirements {
  readonly owner: 'user' | 'system';
  readonly depth: number;
  /** False below a Host or Match that does not match: only the syntax is looked at. */
  readonly active: boolean;
}

/** Collects the options for one host from configuration files, line by line; ssh_config(5). */
export class ConfigReader {
  readonly options = new Map<string, string[]>();
  readonly warnings: string[] = [];
  /** A `Match final` was read: the files have to be read again, with `final` set. */
  wantsFinal = false;
  final = false;

  readonly #alias: string;
  readonly #local: LocalEnvironment;

  constructor(alias: string, local: LocalEnvironment) {
    this.#alias = alias;
    this.#local = local;
  }

  /** The first value of an option, if it is set by now. */
  first(name: string): string | undefined {
    return this.options.get(name)?.[0];
  }

  /** The name to connect to, as far as is known by now. */
  hostname(): string {
    const name = this.first('hostname');
    if (name === undefined) return this.#alias;
    return this.final ? name : expandOption('Hostname', name, { '%': '%', h: this.#alias }, this.#local);
  }

  /** Sets an option from `Name value` or `Name=value`, as after `-o`. */
  readCommandLine(text: string): void {
    const line = readLine(text);
    if (line === undefined) return;
    if (['host', 'match', 'include'].includes(line.keyword))
      throw line.refuse('it is for configuration files alone');
    this.#readOption(line, true);
  }

  /** Sets an option unless it is set already; values of a cumulative one are added. */
  set(name: string, values: readonly string[], cumulative = false): void {
    // Whichever of the two comes first decides (readconf.c, oProxyCommand and parse_jump).
    const rival = { proxycommand: 'proxyjump', proxyjump: 'proxycommand' }[name];
    if (values.length === 0 || (rival !== undefined && this.options.has(rival))) return;
    const before = this.options.get(name);
    if (before === undefined) this.options.set(name, [...values]);
    else if (cumulative) before.push(...values.filter((value) => !before.includes(value)));
  }

  async readUserFile(file: string, isNamed: boolean): Promise<void> {
    await this.#readFile(file, {
      owner: 'user',
      depth: 0,
      mustBePrivate: !isNamed,
      mustExist: isNamed,
      active: true,
    });
  }

  async readSystemFile(): Promise<void> {
    const file = join(this.#local.systemDirectory, 'ssh_config');
    await this.#readFile(file, {
      owner: 'system',
      depth: 0,
      mustBePrivate: false,
      mustExist: false,
      active: true,
    });
  }

  async #readFile(file: string, reading: Reading): Promise<void> {
    if (reading.depth > MAX_INCLUDES) throw configError({ file }, 'files include each other too deeply');
    const content = await readConfigFile(file, reading);
    let { active } = reading;
    for (const [index, source] of content.split('\n').entries()) {
      const line = readLine(source, file, index + 1);
      if (line?.keyword === 'host') active = reading.active && matchesHostLine(line, this.#subject());
      else if (line?.keyword === 'match') active = reading.active && this.#matches(line);
      else if (line?.keyword === 'include') await this.#readIncluded(line, { ...reading, active });
      else if (line !== undefined) this.#readOption(line, active);
    }
  }

  #matches(line: ConfigLine): boolean {
    const verdict = matchesMatchLine(line, this.#subject());
    this.wantsFinal ||= verdict.wantsFinal;
    return verdict.matches;
  }

  async #readIncluded(line: ConfigLine, reading: Reading): Promise<void> {
    for (const word of line.words) {
      const pattern = this.#anchored(word, line, reading.owner);
      for (const file of findFiles(pattern)) {
        await this.#readFile(file, {
          ...reading,
          depth: reading.depth + 1,
          mustBePrivate: true,
          mustExist: false,
        });
      }
    }
  }

  #anchored(word: string, line: ConfigLine, owner: Reading['owner']): string {
    const home = /^~(?=\/)/.exec(word);
    if (word === '' || (word.startsWith('~') && (home === null || owner === 'system'))) {
      throw line.refuse(`${JSON.stringify(word)} is not a path that can be included`, [
        'Write the whole path.',
      ]);
    }
    const path = expandOption('Include', word.replace(/^~/, this.#local.home), this.#tokens(), this.#local);
    const directory = owner === 'user' ? join(this.#local.home, '.ssh') : this.#local.systemDirectory;
    return isAbsolute(path) ? path : join(directory, path);
  }

  #readOption(line: ConfigLine, active: boolean): void {
    const option = findOption(line.keyword);
    if (option !== undefined) {
      const values = option.read(line, this.#local.env);
      if (active) this.set(option.name, values, option.cumulative);
      return;
    }
    if (UNSUPPORTED.has(line.keyword))
      this.warnings.push(line.refuse('ssh does not support it any more').message);
    else if (!DEPRECATED.has(line.keyword) && !this.#ignores(line.keyword)) {
      throw line.refuse('there is no such option', unknownOptionHint(line.place.key ?? line.keyword));
    }
  }

  #ignores(keyword: string): boolean {
    const patterns = this.first('ignoreunknown');
    return patterns !== undefined && matchesPatternList(keyword, patterns.toLowerCase());
  }

  #subject() {
    return {
      alias: this.#alias,
      hostname: this.hostname(),
      user: this.first('user') ?? this.#local.user,
      localUser: this.#local.user,
      final: this.final,
    };
  }

  #tokens() {
    const { alias, hostname, user } = this.#subject();
    const hostKeyAlias = this.first('hostkeyalias');
    return tokensOf({ alias, hostname, user, port: this.first('port') ?? '22', hostKeyAlias }, this.#local);
  }
}
