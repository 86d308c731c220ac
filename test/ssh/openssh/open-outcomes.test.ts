import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChannelOpenError } from '../../../src/ssh/channel-open-error.ts';
import { OpenOutcomes } from '../../../src/ssh/openssh/open-outcomes.ts';

const web = { kind: 'tcp', host: 'localhost', port: 80 } as const;
const app = { kind: 'unix', path: '/srv/app/app.sock' } as const;

test('the answers are given to the connections in the order in which these were made', async () => {
  const outcomes = new OpenOutcomes();
  const [first, socket, second] = [outcomes.expect(web), outcomes.expect(app), outcomes.expect(web)];

  read(outcomes, [
    'debug1: Connection to port -2 forwarding to localhost port 80 requested.',
    'debug2: fd 9 setting O_NONBLOCK',
    'debug1: channel 5: new direct-tcpip [direct-tcpip] (inactive timeout: 0)',
    'debug1: Connection to port -2 forwarding to /srv/app/app.sock port -2 requested.',
    'debug1: channel 6: new direct-streamlocal@openssh.com [direct-streamlocal@openssh.com] (inactive timeout: 0)',
    'debug1: Connection to port -2 forwarding to localhost port 80 requested.',
    'debug1: channel 7: new direct-tcpip [direct-tcpip] (inactive timeout: 0)',
    'debug2: channel 6: open confirm rwindow 2097152 rmax 32768',
    'debug2: channel 7: open confirm rwindow 2097152 rmax 32768',
    'channel 5: open failed: administratively prohibited: open failed',
  ]);

  await Promise.all([socket.outcome, second.outcome]);
  await assert.rejects(first.outcome, (error: ChannelOpenError) => {
    assert.deepEqual([error.endpoint, error.reason, error.description], [web, 1, 'open failed']);
    return true;
  });
});

test('a connection that ssh announces twice, as it could not accept it at first, is one', async () => {
  const outcomes = new OpenOutcomes();
  const [first, second] = [outcomes.expect(web), outcomes.expect(web)];

  read(outcomes, [
    'debug1: Connection to port -2 forwarding to localhost port 80 requested.',
    'debug1: Connection to port -2 forwarding to localhost port 80 requested.',
    'debug1: channel 5: new [direct-tcpip]',
    'channel 5: open failed: connect failed: Connection refused',
    'debug1: Connection to port -2 forwarding to localhost port 80 requested.',
    'debug1: channel 5: new [direct-tcpip]',
    'debug2: channel 5: open confirm rwindow 0 rmax 32768',
  ]);

  await assert.rejects(first.outcome, ChannelOpenError);
  await second.outcome;
});

test('a connection that was not made takes no answer', async () => {
  const outcomes = new OpenOutcomes();
  const [first, second] = [outcomes.expect(web), outcomes.expect(web)];
  first.withdraw();

  read(outcomes, [
    'debug1: Connection to port -2 forwarding to localhost port 80 requested.',
    'debug1: channel 5: new [direct-tcpip]',
    'debug2: channel 5: open confirm rwindow 0 rmax 32768',
  ]);

  await second.outcome;
});

test('a refusal that the server does not describe is one, too', async () => {
  for (const said of ['unknown channel type: ', 'unknown channel type:', 'unknown channel type']) {
    const outcomes = new OpenOutcomes();
    const pending = outcomes.expect(app);
    read(outcomes, [
      'debug1: Connection to port -2 forwarding to /srv/app/app.sock port -2 requested.',
      'debug1: channel 5: new direct-streamlocal@openssh.com [direct-streamlocal@openssh.com] (inactive timeout: 0)',
      `channel 5: open failed: ${said}`,
    ]);
    await assert.rejects(pending.outcome, { reason: 3, description: 'unknown channel type' });
  }
});

test('channels that are not ours are left alone', async () => {
  const outcomes = new OpenOutcomes();
  const pending = outcomes.expect(web);

  read(outcomes, [
    'debug1: Connection to port -2 forwarding to localhost port 80 requested.',
    'debug1: channel 4: new forwarded-tcpip [127.0.0.1] (inactive timeout: 0)',
    'debug2: channel 4: open confirm rwindow 0 rmax 32768',
    'debug1: channel 5: new direct-tcpip [direct-tcpip] (inactive timeout: 0)',
    'channel 4: open failed: connect failed: ',
    'debug2: channel 5: open confirm rwindow 0 rmax 32768',
  ]);

  await pending.outcome;
});

test('what is still unanswered when ssh is gone rejects with the reason', async () => {
  const outcomes = new OpenOutcomes();
  const [accepted, made] = [outcomes.expect(web), outcomes.expect(app)];
  read(outcomes, [
    'debug1: Connection to port -2 forwarding to localhost port 80 requested.',
    'debug1: channel 5: new direct-tcpip [direct-tcpip] (inactive timeout: 0)',
  ]);

  const reason = new Error('gone');
  outcomes.abandon(reason);

  await assert.rejects(accepted.outcome, reason);
  await assert.rejects(made.outcome, reason);
});

function read(outcomes: OpenOutcomes, lines: readonly string[]): void {
  for (const line of lines) outcomes.read(line);
}
