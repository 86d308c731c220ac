/** Programs that come with a system and serve no app of the person's. */
const PROCESSES =
  /^(sshd(-session)?|systemd([-.].*)?|init|launchd|dbus-(daemon|broker.*)|cupsd|cups-browsed|chronyd|ntpd|rpcbind|rpc\..*|avahi-daemon|master|exim4?|sendmail|dnsmasq|unbound|named|snapd|multipathd|polkitd|NetworkManager|containerd|udevd|acpid|irqbalance|gpg-agent|ssh-agent|ssh|tmux.*|screen|pipewire.*|pulseaudio|Xorg|mDNSResponder|rapportd|ControlCenter|ControlCe)$/;

/** The same by port, for when the process may not be seen. */
const PORTS = new Set([22, 25, 53, 111, 465, 587, 631, 5353, 5355]);

const SOCKETS = [
  /^(\/var)?\/run\/(systemd|dbus|udev|lvm|snapd|cups|avahi-daemon|chrony|uuidd|lock|NetworkManager|polkit|containerd|irqbalance|sudo|screen|rpcbind\.sock|acpid\.socket|nscd|gssproxy\.sock|pcscd|mDNSResponder|dmeventd)/,
  /^\/run\/user\/\d+\/(bus|systemd|gnupg|pulse|pipewire|keyring|at-spi|wayland|dbus|p11-kit|snapd)/,
  /^\/(private\/)?tmp\/(\.X11-unix|\.ICE-unix|\.font-unix|\.XIM-unix|ssh-|tmux-|com\.apple\.|dbus-)/,
  /^\/private\/var\/|^\/var\/lib\/(gssproxy|lxd|snapd)\//,
  /\/(S\.gpg-agent[^/]*|S\.dirmngr|agent\.\d+|S\.uscreens[^/]*)$/,
];

/** Whether a port belongs to the system; `name` is that of its process, where it may be seen. */
export function isSystemPort(port: number, name: string | undefined): boolean {
  if (name !== undefined) return PROCESSES.test(name);
  return PORTS.has(port);
}

/** Whether a socket belongs to the system. */
export function isSystemSocket(path: string, name: string | undefined): boolean {
  return SOCKETS.some((pattern) => pattern.test(path)) || (name !== undefined && PROCESSES.test(name));
}
