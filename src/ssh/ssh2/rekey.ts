import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import type { RekeyLimit } from '../../config/settings.ts';
import { rekey } from './internals.ts';

/**
 * Exchanges keys anew after so many bytes, both ways together, or seconds (`RekeyLimit`). What is sent is counted on a
 * socket alone: through a jump host or a command only what is received. Returns the function that stops it.
 */
export function rekeyAfter(client: Client, stream: Duplex, { bytes, seconds }: RekeyLimit): () => void {
  const sent = (): number => ('bytesWritten' in stream ? Number(stream.bytesWritten) : 0);
  let received = 0;
  let before = sent();
  let timer: NodeJS.Timeout | undefined;
  const restart = (): void => {
    received = 0;
    before = sent();
    clearTimeout(timer);
    if (seconds > 0) timer = setTimeout(exchange, seconds * 1000);
  };
  const exchange = (): void => {
    rekey(client);
    restart();
  };
  const onData = (data: Buffer): void => {
    received += data.length;
    if (bytes > 0 && received + sent() - before >= bytes) exchange();
  };
  // Every direction shows here: data that is sent opens the window with messages that come back.
  stream.on('data', onData);
  client.on('handshake', restart);
  restart();
  return () => {
    clearTimeout(timer);
    stream.off('data', onData);
    client.off('handshake', restart);
  };
}
