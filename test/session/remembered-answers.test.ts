import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RememberedAnswers } from '../../src/session/remembered-answers.ts';
import type { Ask, Question } from '../../src/ssh/context.ts';

const password: Question = { text: "deploy@vps's password: ", echo: false };

/** Answers in turn, and counts how often it was asked. */
function person(...answers: (string | undefined)[]): { ask: Ask; asked: () => number } {
  let count = 0;
  return { ask: async () => answers[count++], asked: () => count };
}

test('a secret is asked for once, and given again in later attempts', async () => {
  const answers = new RememberedAnswers();
  const somebody = person('secret');
  assert.equal(await answers.forAttempt(somebody.ask)?.(password), 'secret');
  assert.equal(await answers.forAttempt(undefined)?.(password), 'secret');
  assert.equal(somebody.asked(), 1);
});

test('a secret that was wrong is asked for again in the same attempt, and the right one is kept', async () => {
  const answers = new RememberedAnswers();
  const first = answers.forAttempt(person('wrong', 'right').ask);
  assert.equal(await first?.(password), 'wrong');
  assert.equal(await first?.(password), 'right');
  assert.equal(await answers.forAttempt(undefined)?.(password), 'right');
});

test('a remembered secret that is refused is not given twice', async () => {
  const answers = new RememberedAnswers();
  await answers.forAttempt(person('old').ask)?.(password);
  const later = answers.forAttempt(undefined);
  assert.equal(await later?.(password), 'old');
  assert.equal(await later?.(password), undefined);
});

test('a code for one login, a yes, and what may be seen are not kept', async () => {
  const questions: Question[] = [
    { text: 'Verification code: ', echo: false },
    { text: 'One-time password (OATH) for `deploy`: ', echo: false },
    { text: 'Are you sure you want to continue connecting (yes/no)? ', echo: true },
    { text: 'Add key to agent (yes/no)? ', echo: false, confirm: true },
  ];
  for (const question of questions) {
    const answers = new RememberedAnswers();
    await answers.forAttempt(person('123456').ask)?.(question);
    assert.equal(answers.forAttempt(undefined), undefined, question.text);
  }
});

test('where nobody can be asked and nothing is known there is nobody to ask', () => {
  assert.equal(new RememberedAnswers().forAttempt(undefined), undefined);
});
