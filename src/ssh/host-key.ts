import { isIPv4 } from 'node:net';
import type { HostSettings } from '../config/settings.ts';
import { ConnectError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import type { SshContext } from './context.ts';
import { askAboutKey, NO_IS_NOT_ENOUGH, shortType } from './host-key-question.ts';
import { learnHostKeys } from './host-key-update.ts';
import { appendKnownHost } from './known-hosts-append.ts';
import { askKnownHostsCommand } from './known-hosts-command.ts';
import { fingerprint, keyType } from './known-hosts-key.ts';
import {
  knownHostsName,
  loadKnownHosts,
  warnedOnce,
  type KnownHosts,
  type KnownHostsName,
  type Verdict,
} from './known-hosts.ts';

type Changed = Extract<Verdict, { kind: 'changed' }>;
type Unknown = Extract<Verdict, { kind: 'unknown' }>;

/** Decides whether a server's host key is accepted, as StrictHostKeyChecking says. One is made for each connection. */
export class HostKeyCheck {
  /** Why the key was not accepted. */
  rejection: ConnectError | undefined;
  /** The types of the keys that are known: a server asked for one of them shows a key that can be checked. */
  readonly knownTypes: readonly string[];
  readonly #settings: HostSettings;
  readonly #context: SshContext;
  readonly #known: KnownHosts;
  readonly #name: KnownHostsName;
  /** With CheckHostIP, the address that is reached: a name like any other, but for what a difference means. */
  readonly #address: KnownHostsName | undefined;
  readonly #isExempt: boolean;
  readonly #unstored: KnownHostsName[] = [];
  #accepted: Buffer | undefined;
  #isTrusted = false;

  /** `ip` is the server's own address; absent when something in between reaches it. */
  static async create(settings: HostSettings, context: SshContext, ip?: string): Promise<HostKeyCheck> {
    const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
    const known = await loadKnownHosts(files, warnedOnce(context));
    const name = knownHostsName(settings);
    const more = await askKnownHostsCommand(settings, 'ORDER', name.name, undefined, context);
    return new HostKeyCheck(settings, context, known, known.with(more).keyTypes(name), ip);
  }

  private constructor(
    settings: HostSettings,
    context: SshContext,
    known: KnownHosts,
    knownTypes: readonly string[],
    ip: string | undefined,
  ) {
    this.#settings = settings;
    this.#context = context;
    this.#known = known;
    this.#name = knownHostsName(settings);
    this.knownTypes = knownTypes;
    const local = ip !== undefined && isLoopback(ip);
    this.#address = settings.checkHostIp && !local ? addressName(settings, ip) : undefined;
    this.#isExempt =
      settings.noHostAuthenticationForLocalhost && local && settings.hostKeyAlias === undefined;
  }

  /**
   * For ssh2's `hostVerifier`, which is called again at every re-keying. The answer must then be given at once: ssh2
   * loses the stream's state while it waits. So the person is asked at most once, and the key is pinned.
   */
  verify(key: Buffer, answer: (accepted: boolean) => void): void {
    if (this.#accepted !== undefined) {
      if (!this.#accepted.equals(key)) this.rejection = this.#changedMeanwhile();
      answer(this.#accepted.equals(key));
      return;
    }
    this.#decide(key).then(
      () => {
        this.#accepted = key;
        answer(true);
      },
      (error: ConnectError) => {
        this.rejection = error;
        answer(false);
      },
    );
  }

  /** Adds a new key to known_hosts. To be called once the server has proved that the key is its own. */
  async remember(): Promise<void> {
    const file = this.#settings.userKnownHostsFiles[0];
    if (this.#accepted === undefined || file === undefined) return;
    for (const name of this.#unstored.splice(0)) {
      const added = `Added ${name.name} (${shortType(this.#accepted)}) to ${file}.`;
      const appended = appendKnownHost(file, name, this.#accepted, { hash: this.#settings.hashKnownHosts });
      await this.#orWarn(appended.then(() => this.#context.warn(added)));
    }
  }

  /** Learns further keys that the server has proved to hold, as UpdateHostKeys says; after `remember`. */
  async update(announced: readonly Buffer[]): Promise<void> {
    const isOff = this.#settings.updateHostKeys === 'no';
    if (isOff || !this.#isTrusted) {
      const why = isOff ? 'no' : 'not done, as the host key is not from a known_hosts file of yours';
      this.#context.debug(`UpdateHostKeys: ${why}`);
      return;
    }
    await this.#orWarn(learnHostKeys(announced, [this.#name, this.#address], this.#settings, this.#context));
  }

  async #decide(key: Buffer): Promise<void> {
    if (this.#isExempt) {
      this.#context.debug('host key not checked: NoHostAuthenticationForLocalhost');
      return;
    }
    const verdict = (await this.#knownAs(this.#name, 'HOSTNAME', key)).verdict(this.#name, key);
    const address =
      this.#address && (await this.#knownAs(this.#address, 'ADDRESS', key)).verdict(this.#address, key);
    this.#context.debug(
      `host key ${keyType(key)} ${fingerprint(key)}: ${verdict.kind}${address ? `, by its address ${address.kind}` : ''}`,
    );
    this.#refuseWrong(key, verdict, address);
    if (verdict.kind === 'unknown') await this.#decideUnknown(key, verdict);
    else this.#isTrusted = this.#isFromUser(key, address);
    if (address?.kind === 'changed') await this.#decideMismatch(key, address);
    if (address?.kind === 'unknown' && this.#address) this.#unstored.push(this.#address);
  }

  async #knownAs(
    { name }: KnownHostsName,
    purpose: 'HOSTNAME' | 'ADDRESS',
    key: Buffer,
  ): Promise<KnownHosts> {
    return this.#known.with(await askKnownHostsCommand(this.#settings, purpose, name, key, this.#context));
  }

  #isFromUser(key: Buffer, address: Verdict | undefined): boolean {
    const files = this.#settings.userKnownHostsFiles;
    const addressIsOther =
      address?.kind === 'known' && this.#address && !this.#known.isKnownFrom(files, this.#address, key);
    return this.#known.isKnownFrom(files, this.#name, key) && !addressIsOther;
  }

  #refuseWrong(key: Buffer, verdict: Verdict, address: Verdict | undefined): void {
    const revoked = [verdict, address].find((one) => one?.kind === 'revoked');
    if (revoked?.kind === 'revoked') {
      throw this.#refusal('host-key-revoked', 'is revoked', key, [
        `It is marked @revoked in ${revoked.file}:${revoked.line}.`,
        'Do not connect. Ask whoever runs the host.',
      ]);
    }
    if (verdict.kind !== 'changed') return;
    throw this.#refusal('host-key-changed', 'has changed', key, [
      `Another key (${verdict.type}) is known from ${verdict.file}:${verdict.line}.`,
      ...(address !== undefined && address.kind !== 'changed'
        ? [
            `For its address ${this.#address?.name ?? ''} the key is ${address.kind}: its name may lead elsewhere (DNS spoofing).`,
          ]
        : []),
      'Somebody may be listening in between; or the host was set up anew.',
      ...(this.#settings.strictHostKeyChecking === 'no' ? [NO_IS_NOT_ENOUGH] : []),
      `Once you know that it was: ssh-keygen -R ${shellWord(this.#name.name)} -f ${shellWord(verdict.file)}`,
    ]);
  }

  async #decideUnknown(key: Buffer, verdict: Unknown): Promise<void> {
    const mode = this.#settings.strictHostKeyChecking;
    if (mode === 'ask')
      this.#isTrusted = await askAboutKey(key, this.#name, verdict, this.#settings, this.#context);
    this.#unstored.push(this.#name);
    if (mode === 'no' || mode === 'accept-new' || this.#isTrusted) return;
    const where = this.#settings.userKnownHostsFiles[0] ?? 'known_hosts';
    throw this.#refusal('host-key-unknown', 'is not known', key, [
      ...(verdict.certificateAuthority
        ? ['A certificate authority is known for the host, but it did not show a certificate.']
        : []),
      mode === 'yes'
        ? `StrictHostKeyChecking is yes: add the key to ${where}, once you know that it is right.`
        : `Run this once in a terminal to accept it, or add it to ${where}.`,
    ]);
  }

  /** The name's key is right or new, but another one is known for the address (sshconnect.c, check_host_key). */
  async #decideMismatch(key: Buffer, { file, line, type }: Changed): Promise<void> {
    const mode = this.#settings.strictHostKeyChecking;
    const difference = `Another key (${type}) is known for its address ${this.#address?.name ?? ''} from ${file}:${line}.`;
    if (mode === 'no') {
      this.#context.warn(`The host key of ${this.#settings.alias}: ${difference}`);
      return;
    }
    if (mode === 'ask' && this.#context.ask !== undefined) {
      const text = `${difference}\nAre you sure you want to continue connecting (yes/no)? `;
      const answer = await this.#context.ask({ text, echo: true, confirm: true }, this.#context.signal);
      if (answer?.trim().toLowerCase() === 'yes') return;
    }
    throw this.#refusal('host-key-address', 'is not that of its address', key, [
      difference,
      `If the address has a new owner: ssh-keygen -R ${shellWord(this.#address?.name ?? '')} -f ${shellWord(file)}`,
    ]);
  }

  async #orWarn(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      this.#context.warn([error.message, ...error.hint].join('\n'));
    }
  }

  #changedMeanwhile(): ConnectError {
    return new ConnectError(
      'host-key-changed',
      `${this.#settings.alias} changed its host key within one connection`,
    );
  }

  #refusal(code: string, what: string, key: Buffer, hint: readonly string[]): ConnectError {
    const { alias } = this.#settings;
    return new ConnectError(code, `The host key of ${alias} (${this.#name.name}) ${what}`, {
      hint: [`It shows ${shortType(key)} ${fingerprint(key)}.`, ...hint],
    });
  }
}

/** Undefined where the address says nothing that the name does not. */
function addressName({ hostname, port }: HostSettings, ip: string | undefined): KnownHostsName | undefined {
  if (ip === undefined || ip === hostname.toLowerCase()) return undefined;
  return { name: knownHostsName({ hostname: ip, port }).name };
}

function isLoopback(ip: string): boolean {
  return ip === '::1' || (isIPv4(ip) && ip.startsWith('127.'));
}
