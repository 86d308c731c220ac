import type { HostSettings, SshFlags } from '../config/settings.ts';

/** What an SSH connection is made from. */
export interface SshWay {
  readonly settings: HostSettings;
  readonly flags: SshFlags;
}

/**
 * How to reach the same SSH server at its VPN address: there are no jumps on that way, and the host key is the one that is
 * known for the host's own name, be the address whatever it is. The flags say the same to the system's ssh, which takes
 * the first value that it is given.
 */
export function overVpn({ settings, flags }: SshWay, address: string): SshWay {
  const { proxyCommand: _command, bindAddress: _bind, ...rest } = settings;
  const { jump: _jump, addressFamily: _family, ...others } = flags;
  const hostKeyAlias = knownAs(settings);
  const options = [
    `HostName=${address}`,
    `HostKeyAlias=${hostKeyAlias}`,
    'CheckHostIP=no',
    'ProxyJump=none',
    'ProxyCommand=none',
    'AddressFamily=any',
  ];
  return {
    settings: {
      ...rest,
      hostname: address,
      hostKeyAlias,
      checkHostIp: false,
      proxyJump: [],
      addressFamily: 'any',
    },
    flags: { ...others, options: [...options, ...(flags.options ?? [])] },
  };
}

/** As known_hosts has it: an alias is looked up as it is, without the port. */
function knownAs({ hostKeyAlias, hostname, port }: HostSettings): string {
  if (hostKeyAlias !== undefined) return hostKeyAlias;
  return port === 22 ? hostname : `[${hostname}]:${port}`;
}
