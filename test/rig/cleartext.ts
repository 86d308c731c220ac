export const message = { disconnect: 1, kexInit: 20, newKeys: 21, kexEcdhInit: 30 };

/**
 * The numbers of the messages (RFC 4253, section 12) that one side of an SSH connection sent before it encrypted: up to
 * its first SSH_MSG_NEWKEYS, or all that it sent.
 */
export function cleartextMessages(sent: Buffer): number[] {
  const numbers: number[] = [];
  // Binary packets follow the identification line (sections 4.2 and 6): length, padding length, payload.
  let start = sent.indexOf('\r\n') + 2;
  while (start + 6 <= sent.length && numbers.at(-1) !== message.newKeys) {
    numbers.push(sent.readUInt8(start + 5));
    start += 4 + sent.readUInt32BE(start);
  }
  return numbers;
}
