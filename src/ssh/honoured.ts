import type { HostSettings, RawOptions } from '../config/settings.ts';
import type { TransportName } from './transport-name.ts';

/** What carries a session, once it is chosen. */
export type Carrier = Exclude<TransportName, 'auto'>;

/** What becomes of an option of ssh_config(5). */
export interface Treatment {
  /** As ssh_config(5) writes it. */
  readonly name: string;
  /** Those that do what it says. */
  readonly by: readonly Carrier[];
  /** Why it is not honoured by every one of them, as a clause. Absent: it is. */
  readonly why?: string;
  /** What a person who wants it can do, as a sentence. */
  readonly instead?: string;
  /** What has to be known of a value that is honoured, as a clause. */
  readonly remark?: (value: string) => string | undefined;
  /** Whether somebody who has configured this value misses something where it is not honoured. */
  readonly isMissed: (value: string, options: RawOptions) => boolean;
}

/** One that is set, and how it fares with the transport at hand. */
export interface ConfiguredOption extends Treatment {
  readonly values: readonly string[];
  readonly honoured: boolean;
  /** It is not honoured, and that makes a difference. */
  readonly missed: boolean;
}

/** How an option fares that is named in any case; one of a newer ssh is read by ssh itself only. */
export function treatmentOf(name: string): Treatment {
  return TREATMENTS.get(name.toLowerCase()) ?? opensshOnly(name, 'it is not known to this version of tunnel');
}

/** What the configuration sets to something other than ssh's own default, in the order of the alphabet. */
export function configuredOptions(settings: HostSettings, carrier: Carrier): ConfiguredOption[] {
  return [...settings.configured].toSorted().map((name) => {
    const treatment = treatmentOf(name);
    const values = settings.options.get(name) ?? [];
    const honoured = treatment.by.includes(carrier);
    const missed = !honoured && values.some((value) => treatment.isMissed(value, settings.options));
    return { ...treatment, values, honoured, missed };
  });
}

/** A sentence for each configured option whose meaning is lost with this transport, and what to do about it. */
export function unhonoured(settings: HostSettings, carrier: Carrier): string[] {
  return configuredOptions(settings, carrier)
    .filter(({ missed }) => missed)
    .map(({ name, why = '', instead = '' }) => `${name} is not honoured: ${why}. ${instead}`.trimEnd());
}

const USE_OPENSSH = 'The ssh program honours it: --transport openssh';

const HONOURED = `AddKeysToAgent AddressFamily BatchMode BindAddress CanonicalDomains CanonicalizeFallbackLocal
  CanonicalizeHostname CanonicalizeMaxDots CanonicalizePermittedCNAMEs CheckHostIP Ciphers ClearAllForwardings
  Compression ConnectionAttempts ConnectTimeout DynamicForward GatewayPorts
  GlobalKnownHostsFile HashKnownHosts Host HostKeyAlgorithms HostKeyAlias Hostname IdentitiesOnly IdentityAgent
  IdentityFile IgnoreUnknown Include KbdInteractiveAuthentication KexAlgorithms KnownHostsCommand LocalForward MACs
  Match NoHostAuthenticationForLocalhost NumberOfPasswordPrompts PasswordAuthentication PermitRemoteOpen Port
  PreferredAuthentications ProxyCommand ProxyJump PubkeyAcceptedAlgorithms PubkeyAuthentication RekeyLimit
  RemoteForward ServerAliveCountMax ServerAliveInterval StreamLocalBindMask Tag TCPKeepAlive UpdateHostKeys User
  UserKnownHostsFile`;

/** They do what they say, but for what is said of them. */
const HONOURED_MOSTLY: readonly Treatment[] = [
  {
    ...notMissed('ExitOnForwardFailure', ['ssh2', 'openssh']),
    remark: () => 'what is typed is all opened or nothing is; this is for the lines of the configuration',
  },
  {
    ...notMissed('StrictHostKeyChecking', ['ssh2', 'openssh']),
    remark: (value) =>
      isOn(value) ? undefined : 'new host keys are accepted; one that has changed is refused all the same',
  },
];

/** Nobody misses these here, whatever they say. */
const NOT_NEEDED: readonly (readonly [names: string, why: string])[] = [
  [
    'EnableEscapeCommandline EscapeChar ObscureKeystrokeTiming RequestTTY SessionType StdinNull',
    'no shell is opened',
  ],
  ['RemoteCommand SendEnv SetEnv', 'no command of yours is run there'],
  [
    'ForwardAgent ForwardX11 ForwardX11Timeout ForwardX11Trusted XAuthLocation',
    'nothing runs there that would use it',
  ],
  ['ControlMaster ControlPersist', 'the connection is not shared with ssh'],
  ['LogLevel LogVerbose SyslogFacility', 'how much is told is for -v and -q to say'],
  ['StreamLocalBindUnlink', 'a leftover socket is always replaced, one that answers never'],
  ['TunnelDevice', 'it only counts with Tunnel'],
];

/** The ssh program honours these, and ssh2 has nothing for them that would be missed. */
const NOT_NEEDED_BY_SSH2: readonly (readonly [names: string, why: string])[] = [
  ['CASignatureAlgorithms', 'ssh2 accepts no certificates, whoever signed them'],
  ['ControlPath', 'ssh2 makes a connection of its own'],
  ['EnableSSHKeysign HostbasedAcceptedAlgorithms', 'it only counts with HostbasedAuthentication'],
  [
    `GSSAPIAuthentication GSSAPIClientIdentity GSSAPIDelegateCredentials GSSAPIKexAlgorithms GSSAPIKeyExchange
     GSSAPIRenewalForcesRekey GSSAPIServerIdentity GSSAPITrustDNS`,
    'it only counts with a Kerberos ticket, for which auto takes the ssh program',
  ],
  ['PermitLocalCommand', 'it only counts with LocalCommand'],
  ['WarnWeakCrypto', 'ssh2 has no such warnings'],
];

const OPENSSH_ONLY: readonly Treatment[] = [
  opensshOnly('BindInterface', 'ssh2 connects from an address only (BindAddress)'),
  opensshOnly('CertificateFile', 'ssh2 cannot log in with a certificate'),
  opensshOnly('ChannelTimeout', 'ssh2 lets connections be quiet for as long as they like'),
  opensshOnly('FingerprintHash', 'ssh2 shows fingerprints as SHA256', (hash) => !/^sha256$/i.test(hash)),
  opensshOnly('HostbasedAuthentication', "ssh2 cannot log in with this machine's host key"),
  // The second value is for connections without a terminal.
  opensshOnly('IPQoS', 'ssh2 does not mark packets', (value) => !/(?:^| )(?:none|cs0|0x0*|0)$/i.test(value)),
  opensshOnly('KbdInteractiveDevices', 'ssh2 leaves the device to the server'),
  opensshOnly('LocalCommand', 'ssh2 runs no command here', (_, options) => permitsLocalCommand(options)),
  opensshOnly('PKCS11Provider', 'ssh2 uses such keys only from an agent'),
  opensshOnly('ProxyUseFdpass', 'ssh2 cannot be given the connection of a ProxyCommand'),
  opensshOnly('RefuseConnection', 'ssh refuses the host when it reads this, and there is no ssh here'),
  opensshOnly('RequiredRSASize', 'ssh2 takes RSA keys of any size'),
  opensshOnly('RevokedHostKeys', 'ssh2 knows no revoked keys but those that known_hosts marks'),
  opensshOnly('SecurityKeyProvider', 'ssh2 uses FIDO keys only from an agent', (provider) => {
    return isOn(provider) && provider !== 'internal';
  }),
  opensshOnly('VerifyHostKeyDNS', 'ssh2 does not look host keys up in the DNS'),
  opensshOnly('VersionAddendum', 'ssh2 introduces itself in its own way'),
  opensshOnly('VisualHostKey', 'ssh2 draws no host keys'),
];

const BY_NONE: readonly Treatment[] = [
  {
    name: 'ForkAfterAuthentication',
    by: [],
    why: 'tunnel stays in the foreground',
    instead: 'Leave it running in a terminal.',
    isMissed: isOn,
  },
  {
    name: 'Tunnel',
    by: [],
    why: 'network devices are not forwarded here',
    instead: 'Use ssh -w for one.',
    isMissed: isOn,
  },
];

const TREATMENTS: ReadonlyMap<string, Treatment> = new Map(
  [
    ...namesIn(HONOURED).map((name) => notMissed(name, ['ssh2', 'openssh'])),
    ...HONOURED_MOSTLY,
    ...NOT_NEEDED.flatMap(([names, why]) => namesIn(names).map((name) => notMissed(name, [], why))),
    ...NOT_NEEDED_BY_SSH2.flatMap(([names, why]) =>
      namesIn(names).map((name) => notMissed(name, ['openssh'], why)),
    ),
    ...OPENSSH_ONLY,
    ...BY_NONE,
  ].map((treatment) => [treatment.name.toLowerCase(), treatment]),
);

function notMissed(name: string, by: readonly Carrier[], why?: string): Treatment {
  return { name, by, ...(why === undefined ? {} : { why }), isMissed: () => false };
}

function opensshOnly(name: string, why: string, isMissed: Treatment['isMissed'] = isOn): Treatment {
  return { name, by: ['openssh'], why, instead: USE_OPENSSH, isMissed };
}

function isOn(value: string): boolean {
  return !['', 'none', 'no', 'false', 'off'].includes(value.toLowerCase());
}

function permitsLocalCommand(options: RawOptions): boolean {
  return isOn(options.get('permitlocalcommand')?.[0] ?? 'no');
}

function namesIn(text: string): string[] {
  return text.split(/\s+/);
}
