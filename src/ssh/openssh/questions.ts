import type { SshContext } from '../context.ts';
import type { AskpassQuestion } from './askpass.ts';

/** What may be seen while it is typed: ssh's questions end so when they are no secret. */
const YES_OR_NO = /\(yes\/no(?:\/\[fingerprint\])?\)\??\s*$/;

/**
 * Hands the questions of ssh to the person. Once one was declined there is nothing more to ask: ssh would go on to send
 * empty passwords.
 */
export class Questions {
  /** The question that was declined. */
  declined: string | undefined;
  readonly #context: SshContext;
  readonly #onDecline: () => void;

  constructor(context: SshContext, onDecline: () => void) {
    this.#context = context;
    this.#onDecline = onDecline;
  }

  /** As an `Answer` of `Askpass`. */
  async answer({ text, kind }: AskpassQuestion, gone: AbortSignal): Promise<string | undefined> {
    const signal = AbortSignal.any([gone, this.#context.signal]);
    if (kind === 'none') return await this.#show(text, signal);
    if (kind === 'confirm')
      return (await this.#ask(`${text} (yes/no) `, true, signal))?.match(/^y/i) ? 'yes' : undefined;
    const answer = await this.#ask(text, YES_OR_NO.test(text), signal);
    if (answer === undefined && !gone.aborted) {
      this.declined ??= text;
      this.#onDecline();
    }
    return answer;
  }

  async #ask(text: string, echo: boolean, signal: AbortSignal): Promise<string | undefined> {
    if (this.declined !== undefined) return undefined;
    return await this.#context.ask?.({ text: text.replace(/[\r\n]+$/, ''), echo }, signal);
  }

  /** ssh ends the helper when the key was touched. */
  async #show(text: string, signal: AbortSignal): Promise<undefined> {
    this.#context.warn(text);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    return undefined;
  }
}
