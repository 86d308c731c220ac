import { addAbortListener } from 'node:events';
import { parseDestination } from '../../config/destination.ts';
import type { HostSettings } from '../../config/settings.ts';
import { resolveSettings } from '../../config/ssh-config.ts';
import type { SshContext } from '../context.ts';
import { Deadline } from '../deadline.ts';
import type { AskpassQuestion } from './askpass.ts';
import { failedHop, loginFailure, silence } from './login-failure.ts';
import { Questions } from './questions.ts';
import { Transcript } from './transcript.ts';

/** ssh waits for ever for a server that accepts and then says nothing; nobody wants that. */
const HANDSHAKE_LIMIT_SECONDS = 30;
/** sshd's own LoginGraceTime; time spent by a person answering does not count here. */
const LOGIN_LIMIT_SECONDS = 120;

/** The login of an ssh as it shows in what it writes: its phases, its questions, its time limits, and why it failed. */
export class Login {
  readonly transcript: Transcript;
  readonly #settings: HostSettings;
  readonly #context: SshContext;
  readonly #questions: Questions;
  readonly #deadline = new Deadline();
  readonly #session: Promise<void>;
  #enter: () => void = () => undefined;
  #entered = false;
  #limited = false;
  #over = false;

  constructor(settings: HostSettings, context: SshContext) {
    this.transcript = new Transcript(settings, context);
    this.#settings = settings;
    this.#context = context;
    this.#questions = new Questions(context, () => this.#deadline.fail(this.#failure()));
    this.#session = new Promise((resolve) => {
      this.#enter = resolve;
    });
  }

  /** One line of what ssh writes, without its line feed. */
  read(line: string): void {
    this.transcript.read(line);
    if (!this.#entered && line.startsWith('debug1: ')) this.#follow(line);
  }

  /** As an `Answer` of `Askpass`. */
  async answer(question: AskpassQuestion, gone: AbortSignal): Promise<string | undefined> {
    const ask = (): Promise<string | undefined> => this.#questions.answer(question, gone);
    // The PIN of a token is asked for before there is anything to wait for, and some things after the login.
    if (!this.#limited || this.#over) return await ask();
    try {
      return await this.#deadline.pausedFor(ask);
    } finally {
      if (this.#over) this.#deadline.stop();
    }
  }

  /** Waits for the session. Throws a `ConnectError`, or the reason of the context's signal. */
  async done(gone: Promise<unknown>): Promise<void> {
    const { signal } = this.#context;
    const abort = addAbortListener(signal, () => this.#deadline.fail(signal.reason as Error));
    const ended = gone.then(async () => {
      throw this.#failure(await this.#failedHop());
    });
    try {
      await Promise.race([this.#session, ended, this.#deadline.expired]);
    } finally {
      this.#over = true;
      this.#deadline.stop();
      abort[Symbol.dispose]();
    }
  }

  /** Where a connection goes through a command there is no address: its handshake starts when the command does. */
  #follow(line: string): void {
    if (/^debug1: (?:Connecting to|Executing proxy command)/.test(line)) this.#context.phase('connecting');
    else if (line.startsWith('debug1: Local version string'))
      this.#limit('the key exchange', HANDSHAKE_LIMIT_SECONDS);
    else if (line.startsWith('debug1: SSH2_MSG_NEWKEYS received')) {
      this.#context.phase('authenticating');
      this.transcript.authenticating();
      this.#limit('authentication', LOGIN_LIMIT_SECONDS);
    } else if (line.startsWith('debug1: Entering interactive session.')) {
      this.#entered = true;
      this.transcript.connected();
      this.#enter();
    }
  }

  #limit(during: string, seconds: number): void {
    this.#limited = true;
    this.#deadline.start(seconds * 1000, () => silence(this.#settings, during));
  }

  /** The settings of the jump host that did not let us through, if it was one. */
  async #failedHop(): Promise<HostSettings | undefined> {
    const { heard, messages } = this.transcript;
    const hop = heard ? undefined : failedHop(this.#settings, messages);
    if (hop === undefined) return undefined;
    return await resolveSettings(parseDestination(hop), this.#settings.jumpFlags).catch(() => undefined);
  }

  #failure(hop?: HostSettings): Error {
    const { messages, tried, heard } = this.transcript;
    const couldAsk = this.#context.ask !== undefined;
    return loginFailure({
      settings: hop ?? this.#settings,
      isHop: hop !== undefined,
      unheard: !heard && hop === undefined,
      messages,
      tried,
      couldAsk,
      declined: this.#questions.declined,
    });
  }
}
