import type { HostSettings, IdentityFile } from '../../config/settings.ts';
import { bracketed, formatEndpoint } from '../../endpoint.ts';
import { printable } from '../../printable.ts';
import { formatListen, type ForwardSpec } from '../../spec.ts';
import type { Carrier, ConfiguredOption } from '../../ssh/honoured.ts';
import type { ShownValue } from '../layers/shown-values.ts';
import { cut } from './cut.ts';
import { fold, TABLE_COLUMNS } from './fold.ts';
import { marks } from './marks.ts';
import type { Paint } from './screen.ts';

/** What opening a session would do, as `tunnel explain` shows it. */
export interface Explanation {
  readonly settings: HostSettings;
  readonly transport: { readonly carrier: Carrier; readonly reason: string };
  /** The nearest first. */
  readonly hops: readonly Pick<HostSettings, 'alias' | 'user' | 'hostname' | 'port' | 'proxyJump'>[];
  readonly identityFiles: readonly (IdentityFile & FileState)[];
  readonly knownHostsFiles: readonly FileState[];
  readonly forwards: readonly ForwardSpec[];
  readonly options: readonly ConfiguredOption[];
  /** Who has said what. */
  readonly values: readonly ShownValue[];
}

export interface FileState {
  readonly path: string;
  readonly exists: boolean;
}

/** An option's value may be a list of all ciphers; `--json` has it whole. */
const VALUE_COLUMNS = 40;

/** For a person. */
export function explanationLines(explanation: Explanation, paint: Paint, columns: number): string[] {
  const { settings, options } = explanation;
  const heading = `${paint('bold', printable(settings.alias))}  ${printable(account(settings))}`;
  return [
    heading,
    '',
    ...sectionLines(sections(explanation), paint),
    '',
    ...valueLines(explanation.values, paint, columns),
    '',
    ...optionLines(options, paint, columns),
  ];
}

/** For `--json`. The names are documented in the README and stay as they are. */
export function explanationDocument(explanation: Explanation, warnings: readonly string[]): object {
  const { settings, transport, hops, identityFiles, knownHostsFiles, forwards, options } = explanation;
  const { alias, user, hostname, port, identityAgent, identitiesOnly, proxyCommand } = settings;
  return {
    host: alias,
    user,
    hostname,
    port,
    transport: { name: transport.carrier, reason: transport.reason },
    jumpHosts: hops.map((hop) => ({
      host: hop.alias,
      user: hop.user,
      hostname: hop.hostname,
      port: hop.port,
    })),
    proxyCommand,
    identityFiles,
    identitiesOnly,
    agent: identityAgent,
    knownHostsFiles,
    forwards: forwards.map(forwardFields),
    values: explanation.values,
    options: options.map((option) => ({
      name: option.name,
      values: shownValues(option),
      honouredBy: option.by,
      status: statusOf(option),
      why: option.honoured ? remarkOf(option) : option.why,
      instead: option.missed ? option.instead : undefined,
    })),
    warnings,
  };
}

type Section = readonly [label: string, values: readonly string[]];

function sections(explanation: Explanation): Section[] {
  const { settings, transport, hops, identityFiles, knownHostsFiles, forwards } = explanation;
  const files = identityFiles.filter(({ explicit, exists }) => explicit || exists);
  // New keys are added to the first.
  const knownHosts = knownHostsFiles.filter(({ exists }, index) => exists || index === 0);
  return [
    ['Transport', [`${transport.carrier}: ${transport.reason}`]],
    ['Jump hosts', hops.map((hop) => `${hop.alias}  ${account(hop)}${viaOwnJump(hop.proxyJump)}`)],
    ['Proxy command', settings.proxyCommand === undefined ? [] : [settings.proxyCommand]],
    ['Identity files', files.length === 0 ? ['none'] : files.map(fileLabel)],
    ['Agent', [agentLabel(settings)]],
    ['Known hosts', knownHosts.length === 0 ? ['none'] : knownHosts.map(fileLabel)],
    ['Forwards', forwards.length === 0 ? ['none'] : forwards.map(forwardLabel)],
    ['If one fails', forwards.length === 0 ? [] : [whenOneFails(settings)]],
  ];
}

function sectionLines(sections: readonly Section[], paint: Paint): string[] {
  const width = Math.max(...sections.map(([label]) => label.length)) + 2;
  return sections.flatMap(([label, values]) =>
    values.map((value, index) => {
      const start = (index === 0 ? label : '').padEnd(width);
      return `${paint('dim', start)}${printable(value)}`;
    }),
  );
}

/** What counts, and where it comes from. */
function valueLines(values: readonly ShownValue[], paint: Paint, columns: number): string[] {
  const rows = values.map(({ name, value, source }) => [
    name,
    cut(printable(value), VALUE_COLUMNS),
    printable(source),
  ]);
  const titles = ['Setting', 'Value', 'From'];
  const lines = aligned([titles, ...rows], columns).map((line) => `  ${line}`.trimEnd());
  return [paint('dim', lines[0] ?? ''), ...lines.slice(1)];
}

/** One a line; what is missed begins with an exclamation mark. */
function optionLines(options: readonly ConfiguredOption[], paint: Paint, columns: number): string[] {
  if (options.length === 0) return [paint('dim', "Nothing is configured: ssh's defaults hold.")];
  const rows = options.map((option) => [
    option.name,
    cut(printable(shownValues(option).join(', ')), VALUE_COLUMNS),
    option.by.join(', ') || '-',
  ]);
  const titles = ['Option', 'Value', 'Honoured by'];
  const [heading = '', ...lines] = aligned([titles, ...rows], columns);
  return [
    paint('dim', `  ${heading}`.trimEnd()),
    ...options.map((option, i) => {
      const mark = option.missed ? paint('yellow', '!') : ' ';
      const said = note(option);
      const line = `${mark} ${lines[i] ?? ''}`;
      if (columns >= TABLE_COLUMNS) return `${line}${paint('dim', said)}`.trimEnd();
      return said === ''
        ? line
        : `${line}\n${paint('dim', fold(`    ${said}`.split(/(?<=\S) /), columns, '    '))}`;
    }),
  ];
}

/** The rows in columns; where there is no room for them, each on lines of its own. */
function aligned(rows: readonly (readonly string[])[], columns: number): string[] {
  if (columns < TABLE_COLUMNS)
    return rows.map((row) =>
      fold([row[0] ?? '', ...row.slice(1).map((cell) => ` ${cell}`)], columns - 2, '    '),
    );
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)) + 2) ?? [];
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(''));
}

function note(option: ConfiguredOption): string {
  const { why = '', instead = '' } = option;
  switch (statusOf(option)) {
    case 'honoured':
      return remarkOf(option) ?? '';
    case 'not-needed':
      return `not needed: ${why}`;
    case 'not-honoured':
      return `not honoured: ${why}. ${instead}`.trimEnd();
  }
}

function remarkOf({ remark, values }: ConfiguredOption): string | undefined {
  return remark?.(values[0] ?? '');
}

function statusOf({ honoured, missed }: ConfiguredOption): 'honoured' | 'not-needed' | 'not-honoured' {
  if (honoured) return 'honoured';
  return missed ? 'not-honoured' : 'not-needed';
}

/** What is meant for a program on the other side may be a secret, and what is printed here is for showing to others. */
function shownValues({ name, values }: ConfiguredOption): readonly string[] {
  return name === 'SetEnv' ? values.map((value) => value.replace(/=.*$/s, '=...')) : values;
}

function account({ user, hostname, port }: Pick<HostSettings, 'user' | 'hostname' | 'port'>): string {
  return `${user}@${bracketed(hostname)}:${port}`;
}

function viaOwnJump(proxyJump: readonly string[]): string {
  return proxyJump.length === 0 ? '' : ` through ${proxyJump.join(', ')}`;
}

function fileLabel({ path, exists }: FileState): string {
  return exists ? path : `${path} (does not exist)`;
}

function agentLabel({ identityAgent, identitiesOnly }: HostSettings): string {
  if (identityAgent === undefined) return 'none';
  return identitiesOnly ? `${identityAgent}, for the identity files alone (IdentitiesOnly)` : identityAgent;
}

function forwardLabel(spec: ForwardSpec): string {
  const { listen } = spec;
  const isPort = listen.kind === 'tcp' && listen.host === undefined;
  const place = isPort
    ? listen.port === 'auto'
      ? 'a free port'
      : `port ${listen.port}`
    : formatListen(listen);
  switch (spec.kind) {
    case 'local':
      return `${place} here ${marks.to} ${formatEndpoint(spec.connect)} there`;
    case 'dynamic':
      return `${place} here ${marks.to} anywhere from there (SOCKS)`;
    case 'http':
      return `${place} here ${marks.to} ${[...spec.routes, ...(spec.caddyfile ? [spec.caddyfile.file] : [])].join(' ')}`;
    case 'remote':
      return `${place} there ${marks.to} ${spec.connect === 'socks' ? 'anywhere from here (SOCKS)' : `${formatEndpoint(spec.connect)} here`}`;
  }
}

/** What the configuration says of ExitOnForwardFailure cannot be told from ssh's default, which is no. */
function whenOneFails({ options }: HostSettings): string {
  return options.get('exitonforwardfailure')?.[0] === 'yes'
    ? 'nothing is opened (ExitOnForwardFailure)'
    : 'what is typed: nothing is opened; a line of the configuration: a warning (ExitOnForwardFailure no)';
}

function forwardFields(spec: ForwardSpec): object {
  const listen = formatListen(spec.listen);
  if (spec.kind === 'dynamic') return { kind: spec.kind, listen };
  if (spec.kind === 'http') return { ...spec, listen };
  return {
    kind: spec.kind,
    listen,
    connect: spec.connect === 'socks' ? 'socks' : formatEndpoint(spec.connect),
  };
}
