import type { Ask, Question } from '../ssh/context.ts';

/** What is asked for a code that is good for one login only. */
const ONE_TIME = /\b(code|otp|one-time|token|passcode|verification|2fa|two-factor)\b/i;

/**
 * Remembers the secrets that let us in, in this process's memory only, so that a reconnect need not ask again. Each is
 * used once in an attempt: a question that comes again in the same attempt was answered wrongly, and is put to the
 * person, if there is one.
 */
export class RememberedAnswers {
  readonly #answers = new Map<string, string>();

  /** Who to ask in one attempt. Undefined when nobody can be asked and nothing is remembered. */
  forAttempt(person: Ask | undefined): Ask | undefined {
    if (person === undefined && this.#answers.size === 0) return undefined;
    const used = new Set<string>();
    return async (question, signal) => {
      const remembered = this.#answers.get(question.text);
      if (remembered !== undefined && !used.has(question.text)) {
        used.add(question.text);
        return remembered;
      }
      this.#answers.delete(question.text);
      const answer = await person?.(question, signal);
      if (answer !== undefined && isLasting(question)) {
        this.#answers.set(question.text, answer);
        used.add(question.text);
      }
      return answer;
    };
  }
}

function isLasting({ text, echo, confirm }: Question): boolean {
  return !echo && confirm !== true && !ONE_TIME.test(text);
}
