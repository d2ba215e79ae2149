import type { ShellRule } from '../../sandbox/index.ts'
import type { CastellanFile } from './castellan-file.ts'
import type { Connector, FolderSettings, ImapAccount, SmtpConnectorSettings } from './settings.ts'

type Written = CastellanFile['outbox']['connectors'][string]

export interface ConnectorContext {
  readonly pathOf: (name: string) => string
  /** What the files say that are named as `ca`, as PEM. */
  readonly authorities: ReadonlyMap<string, string>
  readonly folders: readonly FolderSettings[]
  readonly rules: readonly ShellRule[]
  /** The programs of a connector as absolute paths. */
  readonly programsOf: (name: string) => readonly string[]
  readonly remote: (account: string) => ImapAccount
}

/** A connector in the terms of the source. */
export function toConnector(name: string, connector: Written, context: ConnectorContext): Connector {
  const limits = connector.limits && { limits: given(connector.limits) }
  const ca = context.authorities.get(name)
  const trusted = ca !== undefined && { ca }
  switch (connector.kind) {
    case 'file':
      return { name, kind: 'file', path: context.pathOf(name), from: connector.from, ...limits }
    case 'smtp':
      return { ...toSmtp(name, connector, context), ...limits }
    case 'imap':
      return { name, kind: 'imap', account: context.remote(connector.account), ...limits }
    case 'webhook':
      return { name, kind: 'webhook', url: withPath(connector.url), secret: connector.secret, private: connector.private, ...trusted, ...limits }
    case 'files':
      return { name, kind: 'files', folders: foldersOf(connector.folders, context), ...limits }
    case 'shell':
      return { name, kind: 'shell', folders: foldersOf(connector.folders, context), allow: context.programsOf(name), rules: context.rules, timeoutMs: connector.timeout, ...limits }
    case 'git': {
      const { remote, branches, user, password } = connector
      return { name, kind: 'git', repository: context.pathOf(name), remote, branches, private: connector.private, ...(user !== undefined && { user }), ...(password && { password }), ...trusted, ...limits }
    }
    case 'github': {
      const { repository, bases, token, api } = connector
      return { name, kind: 'github', repository, bases, token, api: api.replace(/\/+$/, ''), private: connector.private, ...trusted, ...limits }
    }
    case 'telegram':
      return { name, kind: 'telegram', chat: connector.chat, token: connector.token, api: connector.api.replace(/\/+$/, ''), private: connector.private, ...trusted, ...limits }
    case 'caldav': {
      const { calendar, user, password, organizer } = connector
      return { name, kind: 'caldav', calendar: `${calendar.replace(/\/+$/, '')}/`, user, password, ...(organizer !== undefined && { organizer }), private: connector.private, ...trusted, ...limits }
    }
    case 'listmonk': {
      const { url, user, token, from, lists, template } = connector
      return { name, kind: 'listmonk', url: url.replace(/\/+$/, ''), user, token, from, lists, ...(template !== undefined && { template }), private: connector.private, ...trusted, ...limits }
    }
    case 'mastodon':
      return { name, kind: 'mastodon', instance: connector.instance.replace(/\/+$/, ''), account: connector.account, token: connector.token, private: connector.private, ...trusted, ...limits }
    case 'http': {
      const { url, methods, credential, spends } = connector
      return { name, kind: 'http', url: url.replace(/\/+$/, ''), methods: [...new Set(methods)], private: connector.private, ...(credential && { credential }), ...(spends && { spends }), ...trusted, ...limits }
    }
  }
}

function foldersOf(names: readonly string[], { folders }: ConnectorContext): FolderSettings[] {
  return names.map((name) => folders.find((one) => one.name === name)!)
}

const submissionPorts = { tls: 465, starttls: 587, none: 25 } as const

function toSmtp(
  name: string, { host, port, security, user, password, from, sent }: Extract<Written, { kind: 'smtp' }>, { authorities, remote }: ConnectorContext,
): SmtpConnectorSettings {
  const ca = authorities.get(name)
  return {
    name, kind: 'smtp', host, port: port ?? submissionPorts[security], security, from,
    ...(user !== undefined && { user }), ...(password && { password }), ...(ca !== undefined && { ca }), ...(sent && { sent: { account: remote(sent.account), folder: sent.folder } }),
  }
}

/** With the path that stands on the wire. */
function withPath(url: string): string {
  return new URL(url).href
}

/** Without what was not said. */
export function given<T extends object>(said: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
