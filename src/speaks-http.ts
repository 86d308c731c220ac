import type { Endpoint } from './endpoint.ts';

/** Ports whose servers do not speak HTTP, so that a URL would be wrong. */
const NOT_HTTP = new Set([
  21, 22, 23, 25, 53, 110, 111, 135, 139, 143, 389, 445, 465, 514, 587, 636, 873, 993, 995, 1433, 1521, 1883,
  2049, 3306, 3389, 4222, 5432, 5433, 5671, 5672, 5900, 5901, 6379, 6432, 6667, 8883, 9042, 9092, 11211,
  26379, 27017, 33060,
]);

/** The same for sockets, by the names their servers give them. */
const NOT_HTTP_SOCKET = /(^|\/)(\.s\.PGSQL\.\d+|[^/]*(mysql|mysqlx|mariadb|redis|valkey|memcached)[^/]*)$/i;

/** Whether it can be HTTP, as far as the port or the name tells. */
export function speaksHttp(remote: Endpoint): boolean {
  return remote.kind === 'tcp' ? !NOT_HTTP.has(remote.port) : !NOT_HTTP_SOCKET.test(remote.path);
}

/** Whether it is HTTPS, going by the port. */
export function isTls(remote: Endpoint): boolean {
  return remote.kind === 'tcp' && (remote.port === 443 || remote.port === 8443);
}
