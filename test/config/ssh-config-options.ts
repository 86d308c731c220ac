import { createHash } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { HOME, USER } from './config-files.ts';
import { explicit, type Case } from './ssh-config-case.ts';

const LOCAL_HOST = hostname();

const hash = (host: string, port: number, user: string): string =>
  createHash('sha1').update(`${LOCAL_HOST}${host}${port}${user}`).digest('hex');

/** What the options of a host mean. */
export const OPTION_CASES: readonly Case[] = [
  { name: 'IdentityFile none is no file', config: 'IdentityFile none\n', expect: { identityFiles: [] } },
  {
    name: 'IdentityFile with "~"',
    config: 'IdentityFile ~/.ssh/work\n',
    expect: explicit(`${HOME}/.ssh/work`),
  },
  {
    name: 'every token that a file name may have',
    host: 'Vps',
    config: `HostName web.example.com\nPort 2222\nUser deploy\nIdentityFile /k/%%-%d-%h-%i-%k-%n-%p-%r-%u\nIdentityFile /k/%L/%l\n`,
    expect: explicit(
      `/k/%-${HOME}-web.example.com-${userInfo().uid}-Vps-Vps-2222-deploy-${USER}`,
      `/k/${LOCAL_HOST.split('.')[0]}/${LOCAL_HOST}`,
    ),
  },
  {
    name: '%C is the hash of the connection, %k the HostKeyAlias',
    config:
      'HostName web\nPort 2222\nUser deploy\nHostKeyAlias Alias\nIdentityFile /k/%C\nIdentityFile /k/%k\n',
    expect: { ...explicit(`/k/${hash('web', 2222, 'deploy')}`, '/k/alias'), hostKeyAlias: 'alias' },
  },
  {
    name: '${VARIABLES} in a file name, which are not looked at again',
    config: 'IdentityFile ${KEYS}/%h\nUserKnownHostsFile ${KEYS}/known\n',
    expect: { ...explicit('/keys/vps'), userKnownHostsFiles: ['/keys/known'] },
  },
  {
    name: 'tokens in HostName',
    config: 'Host vps\n  HostName %h.Example.com\n',
    expect: { hostname: 'vps.example.com' },
  },
  {
    name: 'ProxyCommand in the form with "="',
    config: 'ProxyCommand=nc %h %p\n',
    expect: { proxyCommand: 'nc vps 22' },
  },
  {
    name: 'ProxyCommand none takes back a later one',
    config: 'Host vps\n  ProxyCommand none\nHost *\n  ProxyCommand nc %h %p\n',
    expect: { proxyJump: [] },
    absent: ['proxyCommand'],
  },
  { name: 'ProxyJump with one hop', config: 'ProxyJump bastion\n', expect: { proxyJump: ['bastion'] } },
  {
    name: 'ProxyJump with several hops, users, ports, an address and a URI',
    config: 'ProxyJump me@a:2201,[::1]:2202,10.0.0.1,ssh://you@b:2203\n',
    expect: { proxyJump: ['me@a:2201', '[::1]:2202', '10.0.0.1', 'you@b:2203'] },
  },
  {
    name: 'ProxyJump none takes back a later one',
    config: 'Host vps\n  ProxyJump none\nHost *\n  ProxyJump bastion\n',
    expect: { proxyJump: [] },
  },
  {
    name: 'a ProxyJump before a ProxyCommand counts',
    config: 'ProxyJump bastion\nProxyCommand nc %h %p\n',
    expect: { proxyJump: ['bastion'] },
    absent: ['proxyCommand'],
  },
  {
    name: 'a ProxyCommand before a ProxyJump counts',
    config: 'ProxyCommand nc %h %p\nProxyJump bastion\n',
    expect: { proxyJump: [], proxyCommand: 'nc vps 22' },
  },
  {
    name: 'the algorithms that are named, and no others',
    config:
      'Ciphers aes256-ctr,aes128-ctr\nMACs hmac-sha2-512\nKexAlgorithms curve25519-sha256\nHostKeyAlgorithms ssh-ed25519\n',
    expect: {
      ciphers: ['aes256-ctr', 'aes128-ctr'],
      macs: ['hmac-sha2-512'],
      kexAlgorithms: ['curve25519-sha256'],
      hostKeyAlgorithms: ['ssh-ed25519'],
    },
  },
  {
    name: 'wildcards in a list of key types',
    config: 'HostKeyAlgorithms rsa-sha2-*,ssh-ed25519\n',
    expect: {
      hostKeyAlgorithms: [
        'rsa-sha2-256',
        'rsa-sha2-256-cert-v01@openssh.com',
        'rsa-sha2-512',
        'rsa-sha2-512-cert-v01@openssh.com',
        'ssh-ed25519',
      ],
    },
  },
  {
    name: 'times with units',
    config: 'ConnectTimeout 1m30\nServerAliveInterval 1h\nServerAliveCountMax 5\n',
    expect: { connectTimeout: 90, serverAliveInterval: 3600, serverAliveCountMax: 5 },
  },
  {
    name: 'ConnectTimeout none is as good as nothing',
    config: 'ConnectTimeout none\nConnectTimeout 5\n',
    expect: { connectTimeout: 5 },
  },
  {
    name: 'switches in each of their spellings',
    config:
      'Compression yes\nIdentitiesOnly YES\nTCPKeepAlive false\nHashKnownHosts true\nBatchMode no\nCheckHostIP no\n',
    expect: {
      compression: true,
      identitiesOnly: true,
      tcpKeepAlive: false,
      hashKnownHosts: true,
      batchMode: false,
    },
  },
  ...(['yes', 'no', 'ask', 'accept-new'] as const).map((answer) => ({
    name: `StrictHostKeyChecking ${answer}`,
    config: `StrictHostKeyChecking ${answer}\n`,
    expect: { strictHostKeyChecking: answer },
  })),
  {
    name: 'StrictHostKeyChecking off is no',
    config: 'StrictHostKeyChecking off\n',
    expect: { strictHostKeyChecking: 'no' },
  },
  {
    name: 'StrictHostKeyChecking true is yes',
    config: 'StrictHostKeyChecking true\n',
    expect: { strictHostKeyChecking: 'yes' },
  },
  { name: 'AddressFamily inet6', config: 'AddressFamily inet6\n', expect: { addressFamily: 'inet6' } },
  {
    name: 'BindAddress, ConnectionAttempts and NumberOfPasswordPrompts',
    config: 'BindAddress 127.0.0.9\nConnectionAttempts 4\nNumberOfPasswordPrompts 1\n',
    expect: { bindAddress: '127.0.0.9', connectionAttempts: 4, numberOfPasswordPrompts: 1 },
  },
  {
    name: 'several known_hosts files, one with a space',
    config: 'UserKnownHostsFile "~/known hosts" /k/%h\nGlobalKnownHostsFile ~/global /etc/known\n',
    expect: {
      userKnownHostsFiles: [`${HOME}/known hosts`, '/k/vps'],
      globalKnownHostsFiles: [`${HOME}/global`, '/etc/known'],
    },
  },
  {
    name: 'known_hosts files that are none',
    config: 'UserKnownHostsFile none\nGlobalKnownHostsFile none\n',
    expect: { userKnownHostsFiles: [], globalKnownHostsFiles: [] },
  },
  { name: 'IdentityAgent none', config: 'IdentityAgent none\n', expect: {}, absent: ['identityAgent'] },
  {
    name: 'IdentityAgent SSH_AUTH_SOCK takes back a later one',
    config: 'IdentityAgent SSH_AUTH_SOCK\nHost *\n  IdentityAgent /run/x\n',
    expect: { identityAgent: '/run/agent.sock' },
  },
  {
    name: 'IdentityAgent $VARIABLE',
    config: 'IdentityAgent $AGENT\n',
    expect: { identityAgent: '/run/other.sock' },
  },
  {
    name: 'IdentityAgent ${VARIABLE}',
    config: 'IdentityAgent ${AGENT}.%r\nUser deploy\n',
    expect: { identityAgent: '/run/other.sock.deploy' },
  },
  {
    name: 'IdentityAgent with "~"',
    config: 'IdentityAgent "~/my agent"\n',
    expect: { identityAgent: `${HOME}/my agent` },
  },
  {
    name: 'PreferredAuthentications in its own order',
    config: 'PreferredAuthentications password,publickey\n',
    expect: { preferredAuthentications: ['password', 'publickey'] },
  },
  {
    name: 'methods that are switched off',
    config: 'PasswordAuthentication no\nChallengeResponseAuthentication no\nHostbasedAuthentication yes\n',
    expect: { preferredAuthentications: ['hostbased', 'publickey'] },
  },
  {
    name: 'no method that needs a person in BatchMode',
    config: 'BatchMode yes\nServerAliveInterval 7\n',
    expect: { batchMode: true, preferredAuthentications: ['publickey'], serverAliveInterval: 7 },
  },
  {
    name: 'PubkeyAuthentication no',
    config: 'PubkeyAuthentication no\n',
    expect: { preferredAuthentications: ['keyboard-interactive', 'password'] },
  },
  {
    name: 'an IPv6 HostName is written the shortest way',
    config: 'HostName 2001:DB8:0::7\n',
    expect: { hostname: '2001:db8::7' },
  },
  {
    name: 'LocalForward in each of its forms',
    config:
      'LocalForward 8080 localhost:80\nLocalForward 127.0.0.1:8081 [::1]:81\nLocalForward *:8082 web:82\nLocalForward [::1]:8083 /run/%h.sock\nLocalForward /tmp/%n.sock ${KEYS}/s\nLocalForward :8084 web:84\nLocalForward 8080 localhost:80\nLocalForward 8085:web 85\n',
    expect: {},
    options: {
      localforward: [
        '8080 [localhost]:80',
        '[127.0.0.1]:8081 [::1]:81',
        '[*]:8082 [web]:82',
        '[::1]:8083 /run/vps.sock',
        '/tmp/vps.sock /keys/s',
        '[]:8084 [web]:84',
        '8085 [web]:85',
      ],
    },
  },
  {
    name: 'RemoteForward and DynamicForward in each of their forms',
    config:
      'RemoteForward 0 localhost:22\nRemoteForward 1080\nRemoteForward /run/r.sock /run/l.sock\nDynamicForward 1081\nDynamicForward [::1]:1082\nDynamicForward *:1083\n',
    expect: {},
    options: {
      remoteforward: ['0 [localhost]:22', '1080 [socks]:0', '/run/r.sock /run/l.sock'],
      dynamicforward: ['1081', '[::1]:1082', '[*]:1083'],
    },
  },
  {
    name: 'ClearAllForwardings',
    config: 'LocalForward 8080 localhost:80\nDynamicForward 1080\nClearAllForwardings yes\n',
    expect: {},
    options: { clearallforwardings: ['yes'] },
  },
  {
    name: 'options that are for later parts of the program',
    config:
      'ExitOnForwardFailure yes\nGatewayPorts yes\nStreamLocalBindMask 0117\nStreamLocalBindUnlink yes\nPermitRemoteOpen a:1 [::1]:*\nRekeyLimit 1G 1h\nAddKeysToAgent confirm 5m\nUpdateHostKeys ask\nKnownHostsCommand /bin/k %H\nCertificateFile ~/c-%r\nSendEnv LANG LC_*\nSetEnv A=1 "B=2 3"\nIPQoS ef\n',
    expect: {},
    options: {
      exitonforwardfailure: ['yes'],
      gatewayports: ['yes'],
      streamlocalbindmask: ['0117'],
      streamlocalbindunlink: ['yes'],
      permitremoteopen: ['a:1 [::1]:*'],
      rekeylimit: ['1073741824 3600'],
      addkeystoagent: ['confirm 300'],
      updatehostkeys: ['ask'],
      knownhostscommand: ['/bin/k %H'],
      certificatefile: ['~/c-%r'],
      sendenv: ['LANG', 'LC_*'],
      setenv: ['A=1', 'B=2 3'],
      ipqos: ['ef ef'],
    },
  },
  {
    name: 'a ControlMaster',
    config: 'ControlMaster auto\nControlPath ~/cm-%p\nControlPersist 10m\n',
    expect: {},
    options: { controlmaster: ['auto'], controlpath: [`${HOME}/cm-22`], controlpersist: ['600'] },
  },
  {
    name: 'UpdateHostKeys where there are other known_hosts files',
    config: 'UserKnownHostsFile /k/known\n',
    expect: {},
    options: { updatehostkeys: ['false'] },
  },
];
