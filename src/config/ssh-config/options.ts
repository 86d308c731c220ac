import {
  algorithms,
  anyOf,
  bytesAndSeconds,
  choice,
  command,
  flag,
  forwarding,
  hops,
  lifetime,
  list,
  number,
  octal,
  pair,
  port,
  positive,
  seconds,
  switchOrTime,
  text,
  words,
  type ReadValues,
} from './read-values.ts';

/** An option that the reader of configuration files knows. */
export interface Option {
  /** In lower case. */
  readonly name: string;
  readonly read: ReadValues;
  /** Lines add up; of any other option the first line counts. */
  readonly cumulative: boolean;
}

/** The option that a keyword in lower case names, by its current or a former name. */
export function findOption(keyword: string): Option | undefined {
  return OPTIONS.get(FORMER_NAMES[keyword] ?? keyword);
}

/** Options of long ago, which ssh reads without a word. */
export const DEPRECATED = namesIn(`cipher fallbacktorsh globalknownhostsfile2 protocol rhostsauthentication
  userknownhostsfile2 useprivilegedport useroaming usersh`);

/** Options of long ago, which ssh skips with a complaint. */
export const UNSUPPORTED = namesIn(`afstokenpassing compressionlevel kerberosauthentication kerberostgtpassing
  rhostsrsaauthentication rsaauthentication`);

const FORMER_NAMES: Readonly<Record<string, string>> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  dsaauthentication: 'pubkeyauthentication',
  hostbasedkeytypes: 'hostbasedacceptedalgorithms',
  identityfile2: 'identityfile',
  keepalive: 'tcpkeepalive',
  pubkeyacceptedkeytypes: 'pubkeyacceptedalgorithms',
  skeyauthentication: 'kbdinteractiveauthentication',
  smartcarddevice: 'pkcs11provider',
  tisauthentication: 'kbdinteractiveauthentication',
};

const FIRST_COUNTS: readonly (readonly [names: string, read: ReadValues])[] = [
  [
    `batchmode canonicalizefallbacklocal checkhostip clearallforwardings compression enableescapecommandline
     enablesshkeysign exitonforwardfailure forkafterauthentication forwardx11 forwardx11trusted gatewayports
     gssapiauthentication gssapidelegatecredentials gssapikeyexchange gssapirenewalforcesrekey gssapitrustdns
     hashknownhosts hostbasedauthentication identitiesonly kbdinteractiveauthentication
     nohostauthenticationforlocalhost passwordauthentication permitlocalcommand proxyusefdpass stdinnull
     streamlocalbindunlink tcpkeepalive visualhostkey`,
    flag,
  ],
  ['addressfamily', anyOf({ any: 'any', inet: 'inet', inet6: 'inet6' })],
  ['canonicalizehostname', choice('always')],
  ['controlmaster', choice('ask', 'auto', 'autoask')],
  ['pubkeyauthentication', choice('unbound', 'host-bound')],
  ['requesttty', choice('force', 'auto')],
  ['sessiontype', anyOf({ none: 'none', subsystem: 'subsystem', default: 'default' })],
  [
    'stricthostkeychecking',
    anyOf({
      yes: 'true',
      true: 'true',
      no: 'false',
      false: 'false',
      off: 'false',
      ask: 'ask',
      'accept-new': 'accept-new',
    }),
  ],
  ['tunnel', choice('ethernet', 'point-to-point')],
  ['updatehostkeys verifyhostkeydns', choice('ask')],
  ['port', port],
  ['connectionattempts', positive],
  ['canonicalizemaxdots numberofpasswordprompts requiredrsasize serveralivecountmax', number],
  ['connecttimeout forwardx11timeout serveraliveinterval', seconds],
  ['addkeystoagent', lifetime],
  ['controlpersist', switchOrTime],
  ['ipqos', pair],
  ['rekeylimit', bytesAndSeconds],
  ['streamlocalbindmask', octal],
  ['ciphers', algorithms('ciphers')],
  ['macs', algorithms('macs')],
  ['kexalgorithms', algorithms('kexalgorithms')],
  ['hostkeyalgorithms', algorithms('hostkeyalgorithms')],
  ['knownhostscommand localcommand proxycommand remotecommand', command],
  ['proxyjump', hops],
  [
    `canonicaldomains canonicalizepermittedcnames channeltimeout globalknownhostsfile logverbose
     permitremoteopen revokedhostkeys userknownhostsfile`,
    list,
  ],
  ['setenv', words],
  [
    `bindaddress bindinterface casignaturealgorithms controlpath escapechar fingerprinthash forwardagent
     gssapiclientidentity gssapikexalgorithms gssapiserveridentity hostbasedacceptedalgorithms hostkeyalias hostname
     identityagent ignoreunknown kbdinteractivedevices loglevel obscurekeystroketiming pkcs11provider
     preferredauthentications pubkeyacceptedalgorithms refuseconnection securitykeyprovider syslogfacility tag
     tunneldevice user versionaddendum warnweakcrypto xauthlocation`,
    text,
  ],
];

const CUMULATIVE: typeof FIRST_COUNTS = [
  ['certificatefile identityfile', text],
  ['sendenv', words],
  ['localforward', forwarding('local')],
  ['remoteforward', forwarding('remote')],
  ['dynamicforward', forwarding('dynamic')],
];

const OPTIONS: ReadonlyMap<string, Option> = new Map([
  ...optionsOf(FIRST_COUNTS, false),
  ...optionsOf(CUMULATIVE, true),
]);

function optionsOf(table: typeof FIRST_COUNTS, cumulative: boolean): [string, Option][] {
  return table.flatMap(([names, read]) =>
    [...namesIn(names)].map((name): [string, Option] => [name, { name, read, cumulative }]),
  );
}

function namesIn(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}
