// The same as in node:net, which takes longer to load than everything else that completion needs.

const BYTE = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const IPV4 = new RegExp(String.raw`^${BYTE}(?:\.${BYTE}){3}$`);

export function isIPv4(text: string): boolean {
  return IPV4.test(text);
}

/** With or without a zone (`fe80::1%eth0`), without brackets. */
export function isIPv6(text: string): boolean {
  const [, address] = /^([\da-f:.]+)(?:%[\da-z.:-]+)?$/i.exec(text) ?? [];
  return address !== undefined && URL.canParse(`http://[${address}]`);
}
