import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ConnectError } from '../../../src/errors.ts';
import { runProxyCommand } from '../../../src/ssh/ssh2/proxy-command.ts';

test('a ProxyCommand that reads no more and then fails is told by what it ended with', async () => {
  const stream = runProxyCommand('sh -c "exec <&-; echo closed; sleep 0.3; exit 3"', 'vps');
  await once(stream, 'data');
  stream.write('to nobody');
  const [error] = (await once(stream, 'error').catch((reason: unknown) => [reason])) as [unknown];
  assert.ok(error instanceof ConnectError, String(error));
  assert.match(error.message, /^The ProxyCommand of vps ended with status 3$/);
});

test('a ProxyCommand carries both ways, and ends with the stream', async () => {
  const stream = runProxyCommand('cat', 'vps');
  stream.write('there and back');
  assert.equal(String(((await once(stream, 'data')) as [Buffer])[0]), 'there and back');
  stream.destroy();
  await once(stream, 'close');
});
