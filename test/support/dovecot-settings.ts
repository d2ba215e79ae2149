export interface DovecotOptions {
  readonly folder: string
  readonly port: number
  readonly tlsPort: number
  readonly owner: { readonly name: string; readonly uid: number; readonly gid: number }
  /** Started as root, its processes drop to users of their own; otherwise all are the one who started it. */
  readonly root: boolean
}

export function passwordOf(user: string): string {
  return `password-of-${user}`
}

/** dovecot.conf (2.3) of a server that lives in one folder and listens on loopback alone. */
export function dovecotSettings({ folder, port, tlsPort, owner, root }: DovecotOptions): string {
  return `
protocols = imap
listen = 127.0.0.1
base_dir = ${folder}/run
state_dir = ${folder}/state
instance_name = ${folder.split('/').at(-1)}
log_path = ${folder}/log
first_valid_uid = 1
last_valid_uid = 0
first_valid_gid = 1
${root ? '' : `default_internal_user = ${owner.name}\ndefault_login_user = ${owner.name}\ndefault_internal_group =\n`}
ssl = yes
ssl_cert = <${folder}/certificate.pem
ssl_key = <${folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:~/Maildir
mail_fsync = never
mailbox_list_index = no
mail_max_userip_connections = 100
namespace inbox {
  inbox = yes
  separator = /
}
# every user has a password that is made of his name: a file of users is read again only once a second
passdb {
  driver = static
  args = password=${passwordOf('%u')}
}
userdb {
  driver = static
  args = uid=${owner.uid} gid=${owner.gid} home=${folder}/mail/%u allow_all_users=yes
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`
}
