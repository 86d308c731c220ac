/** Of sshd_config, as parts of the names that `sshd -T` prints. */
export const FORWARDING_SETTINGS = [
  'streamlocalforwarding',
  'tcpforwarding',
  'disableforwarding',
  'permitopen',
];

/** A line over there that shuts somebody out. Whether it holds for us only sshd knows. */
export interface ForwardingSetting {
  /** Sockets, or all forwarding, or what is not listed: ports can be, sockets cannot. */
  readonly bars: 'sockets' | 'all' | 'unlisted';
  /** `FILE:LINE`, with the Match block around it. */
  readonly place: string;
  /** The keyword or option with its value. */
  readonly text: string;
}

/** A part of a shell script that has `say`: finds the lines that `parseSettings` reads. /dev/null makes grep name the file. */
export const findSettings = `
say sshd "$(grep -inE "^[[:space:]]*(match|allowtcpforwarding|allowstreamlocalforwarding|disableforwarding|permitopen)[[:space:]=]" /dev/null /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null | cut -c 1-600 | head -n 200)";
say keys "$(grep -inE "restrict|no-port-forwarding|permitopen=" /dev/null "$HOME/.ssh/authorized_keys" 2>/dev/null | cut -c 1-600 | head -n 50)";`;

/** What in sshd_config(5) and authorized_keys may forbid, from what `findSettings` says; in the order it was found. */
export function parseSettings(sshd: string, keys: string): ForwardingSetting[] {
  return [...fromSshdConfig(sshd), ...grepped(keys).flatMap(fromAuthorizedKeys)];
}

interface Line {
  readonly file: string;
  readonly number: string;
  readonly text: string;
}

/** `FILE:NUMBER:TEXT` */
function grepped(output: string): Line[] {
  return output.split('\n').flatMap((line) => {
    const [, file, number = '', text = ''] = /^(.+?):(\d+):(.*)$/.exec(line) ?? [];
    return file === undefined ? [] : [{ file, number, text: text.trim() }];
  });
}

function fromSshdConfig(output: string): ForwardingSetting[] {
  const settings: ForwardingSetting[] = [];
  let block: Line | undefined;
  for (const line of grepped(output)) {
    const [, keyword = '', value = ''] = /^(\w+)[\s=]+"?([^\s"]*)/.exec(line.text.toLowerCase()) ?? [];
    if (keyword === 'match') block = line;
    const bars = barredBy(keyword, value);
    if (bars === undefined) continue;
    const under = block?.file === line.file ? ` (${block.text})` : '';
    settings.push({ bars, place: `${line.file}:${line.number}${under}`, text: line.text });
  }
  return settings;
}

function barredBy(keyword: string, value: string): ForwardingSetting['bars'] | undefined {
  const isLocalOff = value === 'no' || value === 'remote';
  switch (keyword) {
    case 'allowtcpforwarding':
      return isLocalOff ? 'all' : undefined;
    case 'allowstreamlocalforwarding':
      return isLocalOff ? 'sockets' : undefined;
    case 'disableforwarding':
      return value === 'yes' ? 'all' : undefined;
    case 'permitopen':
      return value === 'any' ? undefined : 'unlisted';
    default:
      return undefined;
  }
}

/** The options are the first word, without white space but in quotes: sshd(8), AUTHORIZED_KEYS FILE FORMAT. */
function fromAuthorizedKeys({ file, number, text }: Line): ForwardingSetting[] {
  if (text.startsWith('#')) return [];
  const place = `${file}:${number}`;
  const [word = ''] = /^(?:"(?:\\.|[^"\\])*"|[^\s"])+/.exec(text) ?? [];
  const options = (word.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/g) ?? []).map((option) => option.toLowerCase());
  const off = options.findLast((option) =>
    ['restrict', 'no-port-forwarding', 'port-forwarding'].includes(option),
  );
  const listed = options.filter((option) => option.startsWith('permitopen='));
  if (off !== undefined && off !== 'port-forwarding') return [{ bars: 'all', place, text: off }];
  return listed.length === 0 ? [] : [{ bars: 'unlisted', place, text: listed.join(',') }];
}
