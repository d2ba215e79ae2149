/** Programs that no tool and no signed act runs, whatever the house allows: why, and the names. */
export interface ForbiddenPrograms {
  readonly rule: string
  readonly why: string
  readonly names: ReadonlySet<string>
}

const named = (words: string) => new Set(words.trim().split(/\s+/))

export const forbiddenPrograms: readonly ForbiddenPrograms[] = [
  {
    rule: 'privilege', why: 'runs things with other rights, or changes who has which; do it yourself at a terminal',
    names: named(`sudo sudoedit su doas pkexec run0 runuser setpriv capsh newgrp sg chroot unshare nsenter bwrap firejail proot machinectl systemd-run systemd-nspawn gosu su-exec setuidgid chpst
      at batch crontab dbus-send busctl gdbus passwd chsh chfn gpasswd chpasswd useradd usermod userdel adduser deluser addgroup groupadd groupmod groupdel visudo vipw vigr newuidmap newgidmap setcap`),
  },
  {
    rule: 'scanner', why: 'looks around in networks; no command of the house does',
    names: named(`nmap nping zenmap masscan zmap rustscan unicornscan hping arp-scan arping netdiscover nbtscan nikto fping tcpdump tshark dumpcap wireshark ettercap bettercap dnsenum dnsrecon
      dnsmap gobuster ffuf dirb wfuzz sqlmap hydra medusa ncrack responder aircrack-ng airodump-ng p0f smbmap enum4linux whatweb wpscan`),
  },
  {
    rule: 'remote', why: 'leads to other machines; what leaves the house is proposed with outbox.propose',
    names: named(`ssh slogin scp sftp sshfs mosh autossh sshpass ssh-copy-id dbclient telnet rlogin rsh rcp ftp tftp lftp ncftp nc ncat netcat socat curl wget aria2c httpie xh rclone croc
      sendmail mail mailx mutt swaks msmtp tailscale cloudflared ngrok bore localtunnel`),
  },
  {
    rule: 'install', why: 'installs programs; do it yourself at a terminal',
    names: named(`apt apt-get apt-key aptitude synaptic gdebi dselect rpm yum dnf microdnf zypper pacman yay apk emerge opkg snap flatpak brew port nix-env nix guix pip pipx uv easy_install conda mamba
      gem cpan cpanm luarocks alternatives update-alternatives ldconfig depmod`),
  },
  {
    rule: 'machine', why: 'changes the machine itself; do it yourself at a terminal',
    names: named(`mount umount fusermount insmod rmmod modprobe kexec sysctl reboot shutdown halt poweroff init telinit systemctl service initctl rc-service launchctl losetup swapon swapoff mkswap
      mkfs fdisk sfdisk cfdisk parted gdisk wipefs cryptsetup dmsetup lvm pvcreate vgcreate lvcreate lvremove mdadm zpool zfs btrfs debugfs iptables iptables-restore nft ufw firewall-cmd ip ifconfig
      route tc brctl iw docker dockerd containerd ctr nerdctl podman buildah runc crun kubectl k3s helm lxc lxd incus virsh qemu vboxmanage hwclock timedatectl hostnamectl loginctl update-grub grub-install
      efibootmgr update-initramfs dpkg-reconfigure tune2fs hdparm`),
  },
]

/** Programs that begin like this are forbidden as the one without an ending is. */
export const forbiddenFamilies: readonly { readonly begins: string; readonly as: string }[] = [
  { begins: 'qemu-', as: 'qemu' }, { begins: 'iptables-', as: 'iptables' }, { begins: 'ip6tables', as: 'iptables' }, { begins: 'fsck', as: 'mkfs' }, { begins: 'docker-', as: 'docker' }, { begins: 'dpkg-', as: 'dpkg-reconfigure' },
]

/**
 * Programs that run whatever a text, a file, their input or their environment says: to run one is to run anything. A script that the house
 * allows may name one in its first line; its own bytes are bound then.
 */
export const interpreters: ReadonlySet<string> = named(`
  sh bash rbash dash ash hush zsh fish ksh mksh oksh csh tcsh pwsh elvish nu xonsh osh python pypy ipython perl ruby irb node nodejs deno bun php lua luajit awk gawk mawk nawk original-awk
  tclsh wish expect guile racket r rscript julia java jshell groovy scala kotlin erl elixir iex ghci runghc ocaml swipl sbcl clisp emacs vi vim nvim view ex ed red nano pico micro m4 dc gdb lldb
  strace ltrace valgrind perf rr script scriptreplay watch screen tmux dtach abduco xargs parallel chronic ifne pee zrun lckdo vidir vipe entr less zless more zmore most man pager info ld.so ldd
  chrt choom setarch linux32 linux64 i386 x86_64 faketime fakeroot fakechroot eatmydata catchsegv dbus-run-session dbus-launch xvfb-run xdg-open tini dumb-init run-parts start-stop-daemon daemonize
  runcon aa-exec uclampset execlineb setlock hyperfine direnv fzf yash posh gnuplot exiftool mlr cmake ctest ninja rake just
  unbuffer rlwrap cpulimit systemd-cat systemd-inhibit flock numactl cgexec prlimit softlimit envdir torsocks proxychains ssh-agent logrotate cron anacron osascript mongosh mongo`)

/**
 * Only look, as long as the policy finds nothing in their arguments. What is not known is not among them; nor is git, which starts what the configuration
 * of a repository names (a monitor of files, filters) even for `git status`.
 */
export const harmlessPrograms: ReadonlySet<string> = named(`
  cat tac ls dir du df head tail wc grep egrep fgrep rg stat find fd fdfind locate sort cut tr nl od hexdump cmp diff comm join paste fold fmt column md5sum sha1sum sha224sum sha256sum
  sha384sum sha512sum b2sum cksum sum date cal echo printf true false sleep yes seq basename dirname realpath readlink pwd id whoami groups hostname uname nproc uptime jq sed gsed tar gtar
  bsdtar dd sqlite dpkg env nice ionice timeout stdbuf setsid taskset busybox toybox coreutils`)

/** Changes who may read, write or run something, or opens something to more people. */
export const rightsPrograms: ReadonlySet<string> = named('chmod chown chgrp setfacl chattr setfattr chcon')

/** Opens something of this machine to others. */
export const exposingPrograms: ReadonlySet<string> = named(`
  nginx apache2 httpd lighttpd caddy traefik haproxy darkhttpd thttpd webfsd smbd exportfs vsftpd proftpd pure-ftpd xinetd inetd hostapd dnsmasq sshd upnpc miniupnpc natpmpc avahi-publish`)

/** What is there may be gone, or be another, after one of these. */
export const removingPrograms: ReadonlySet<string> = named('rm rmdir unlink shred srm wipe truncate dropdb dropuser trash trash-put trash-empty')
export const overwritingPrograms: ReadonlySet<string> = named(`
  mv cp install ln tee patch rename prename mmv rsync unzip bunzip2 bzip2 gunzip gzip xz unxz zstd unzstd lzma unlzma 7z 7za 7zr unrar cpio pax dos2unix unix2dos sponge split csplit`)
