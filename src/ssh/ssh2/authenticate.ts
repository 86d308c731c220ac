import type { AnyAuthMethod, Client, KeyboardInteractiveAuthMethod } from 'ssh2';
import type { HostSettings } from '../../config/settings.ts';
import { ConnectError } from '../../errors.ts';
import type { SshContext } from '../context.ts';
import { loadIdentities, type Identity } from './identities.ts';
import { OneKeyAgent } from './one-key-agent.ts';

const METHODS: ReadonlySet<string> = new Set<Method>(['publickey', 'keyboard-interactive', 'password']);

type Method = 'publickey' | 'keyboard-interactive' | 'password';

/**
 * Chooses what to try next, in ssh's order and within its limits, from what the server says it still accepts
 * (RFC 4252, section 5). One is made for each connection.
 */
export class Authenticator {
  readonly #settings: HostSettings;
  readonly #context: SshContext;
  readonly #client: Client;
  readonly #fail: (error: Error) => void;
  readonly #tried: string[] = [];
  #identities: Promise<Identity[]> | undefined;
  #keys: Identity[] | undefined;
  #offered: Identity | undefined;
  #prompts: Record<Exclude<Method, 'publickey'>, number> = { 'keyboard-interactive': 0, password: 0 };
  #accepted: readonly string[] | undefined;
  #wasAsked = false;
  #askedNothing = false;

  /** `client` is the one that asks for attempts; `fail` ends the login when a question cannot be asked. */
  constructor(settings: HostSettings, context: SshContext, client: Client, fail: (error: Error) => void) {
    this.#settings = settings;
    this.#context = context;
    this.#client = client;
    this.#fail = fail;
  }

  /** Starts reading the agent and the files, so that they are there when the server asks. */
  prepare(): void {
    this.#identities = loadIdentities(this.#settings, this.#context);
    this.#identities.catch(() => undefined);
  }

  /** What the server said to the last attempt. After a partial success every key may be offered again. */
  refused(methods: readonly string[], partial: boolean): void {
    this.#accepted = methods;
    this.#context.debug(`server ${partial ? 'wants more' : 'refused'}; it offers ${methods.join(', ')}`);
    if (!partial) return;
    this.#tried.push('(accepted in part)');
    this.#keys = undefined;
  }

  /** Whether the key that is being offered may sign before the server has asked for it. */
  get signsFreely(): boolean {
    return this.#offered?.signsFreely === true;
  }

  /** The next attempt, or undefined when there is nothing left. */
  async next(): Promise<AnyAuthMethod | undefined> {
    const methods = this.#settings.preferredAuthentications.filter((method) => METHODS.has(method));
    // Without a question in vain: a key can be offered to a server that has not yet said what it accepts.
    if (this.#accepted === undefined && methods[0] !== 'publickey' && !this.#askedNothing)
      return this.#nothing();
    for (const method of methods) {
      if (this.#accepted !== undefined && !this.#accepted.includes(method)) continue;
      const attempt = await this.#attempt(method);
      if (attempt !== undefined) return attempt;
    }
    return this.#accepted === undefined && !this.#askedNothing ? this.#nothing() : undefined;
  }

  /** Only "none" makes a server tell what it accepts (RFC 4252, section 5.2), if no key is offered first. */
  #nothing(): AnyAuthMethod {
    this.#askedNothing = true;
    return { type: 'none', username: this.#settings.user };
  }

  /** For the person, when nothing is left. */
  failure(): ConnectError {
    const { user, alias } = this.#settings;
    const offered = this.#accepted?.join(', ') ?? 'nothing';
    return new ConnectError('authentication-failed', `Permission denied: ${alias} did not let ${user} in`, {
      hint: [
        this.#tried.length === 0 ? 'Nothing was tried.' : `Tried: ${inWords(this.#tried)}.`,
        `The server accepts: ${offered}.`,
        this.#advice(),
      ],
    });
  }

  #advice(): string {
    const asks = this.#accepted?.some((method) => method !== 'publickey') ?? false;
    return asks && this.#context.ask === undefined
      ? 'It may want a password or a code, and there is nobody to ask: run this in a terminal, or use a key.'
      : `See whether ssh gets in: ssh ${this.#settings.alias}`;
  }

  async #attempt(method: string): Promise<AnyAuthMethod | undefined> {
    switch (method) {
      case 'publickey':
        return await this.#publicKey();
      case 'keyboard-interactive':
        return this.#mayAsk(method) ? this.#keyboardInteractive() : undefined;
      case 'password':
        return this.#mayAsk(method) ? await this.#password() : undefined;
      default:
        return undefined;
    }
  }

  async #publicKey(): Promise<AnyAuthMethod | undefined> {
    this.#keys ??= [...(await (this.#identities ?? loadIdentities(this.#settings, this.#context)))];
    for (let identity = this.#keys.shift(); identity !== undefined; identity = this.#keys.shift()) {
      const publicKey = await identity.prepare();
      if (publicKey === undefined) continue;
      this.#offered = identity;
      this.#tried.push(identity.name);
      this.#context.debug(`offering ${publicKey.type} ${identity.name}`);
      const agent = new OneKeyAgent(identity, publicKey, this.#client, this.#context);
      return { type: 'agent', username: this.#settings.user, agent };
    }
    return undefined;
  }

  /** Prompts count only once the server has said that it accepts the method: nobody is asked in vain. */
  #mayAsk(method: 'keyboard-interactive' | 'password'): boolean {
    if (this.#context.ask === undefined || this.#accepted === undefined) return false;
    if (this.#prompts[method] >= this.#settings.numberOfPasswordPrompts) return false;
    this.#prompts[method] += 1;
    return true;
  }

  /** A server that takes it and then asks nothing would be tried in vain (sshconnect2.c, userauth_kbdint). */
  #keyboardInteractive(): KeyboardInteractiveAuthMethod | undefined {
    if (this.#prompts['keyboard-interactive'] > 1 && !this.#wasAsked) return undefined;
    this.#tried.push('keyboard-interactive');
    return {
      type: 'keyboard-interactive',
      username: this.#settings.user,
      prompt: (name, instructions, _language, prompts, answer) => {
        this.#wasAsked = true;
        this.#answer([name, instructions], prompts)
          .then(answer)
          .catch((error: unknown) => this.#fail(error as Error));
      },
    };
  }

  /** Who declines once is left alone: ssh2 cannot give the method up, so the server gets empty answers to the rest. */
  async #answer(
    introduction: readonly string[],
    prompts: readonly { prompt: string; echo?: boolean }[],
  ): Promise<string[]> {
    const answers = prompts.map(() => '');
    if (this.#hasDeclined('keyboard-interactive')) return answers;
    for (const line of introduction) if (line !== '') this.#context.warn(line);
    for (const [i, { prompt, echo }] of prompts.entries()) {
      const question = {
        text: `(${this.#settings.user}@${this.#settings.alias}) ${prompt}`,
        echo: echo === true,
      };
      const answer = await this.#context.ask?.(question, this.#context.signal);
      if (answer === undefined) {
        this.#declined('keyboard-interactive');
        break;
      }
      answers[i] = answer;
    }
    return answers;
  }

  async #password(): Promise<AnyAuthMethod | undefined> {
    const { user, alias } = this.#settings;
    if (this.#prompts.password > 1) this.#context.warn('Permission denied, please try again.');
    const question = { text: `${user}@${alias}'s password: `, echo: false };
    const password = await this.#context.ask?.(question, this.#context.signal);
    if (password === undefined) {
      this.#declined('password');
      return undefined;
    }
    this.#tried.push('password');
    return { type: 'password', username: user, password };
  }

  /** Whoever gives no answer is not asked again. */
  #declined(method: 'keyboard-interactive' | 'password'): void {
    this.#prompts[method] = Infinity;
  }

  #hasDeclined(method: 'keyboard-interactive' | 'password'): boolean {
    return this.#prompts[method] === Infinity;
  }
}

/** `id_rsa, password (3 times)` */
function inWords(tried: readonly string[]): string {
  const runs: { name: string; count: number }[] = [];
  for (const name of tried) {
    const last = runs.at(-1);
    if (last?.name === name) last.count += 1;
    else runs.push({ name, count: 1 });
  }
  return runs.map(({ name, count }) => (count === 1 ? name : `${name} (${count} times)`)).join(', ');
}
