import { join } from 'node:path'
import type { Connector as ConnectorSettings, ImapAccount } from '../../house/index.ts'
import type { Entrance } from '../../imap/index.ts'
import { createCaldavConnector } from './caldav/caldav.ts'
import type { Connector } from './connector.ts'
import { createFileConnector } from './file.ts'
import { createFilesConnector } from './files/files.ts'
import { createGitConnector } from './git/git.ts'
import { createGithubConnector } from './github.ts'
import { createHttpRequestConnector } from './http-request.ts'
import type { Network } from './http/connection.ts'
import { createImapConnector } from './imap.ts'
import { createListmonkConnector } from './listmonk/listmonk.ts'
import { createMastodonConnector } from './mastodon.ts'
import { createSentFolder } from './sent-folder.ts'
import { createShellConnector } from './shell/shell.ts'
import { createSmtpConnector } from './smtp.ts'
import { createTelegramConnector } from './telegram.ts'
import { createWebhookConnector } from './webhook.ts'

export interface Connectors {
  find(name: string): Connector | undefined
  all(): readonly Connector[]
  /** Why nothing may leave through this connector now, or nothing. */
  refusal(connector: Connector): string | undefined
}

/**
 * The connectors of a house. While the processes share one uid, whatever runs here could read a connector's credential;
 * so all but `file` refuse then, unless the operator accepts it. `inside` leads nowhere out and has no credential.
 */
export function createConnectors(declared: readonly Connector[], { demonstration, accepted }: { demonstration: boolean; accepted: boolean }, inside: readonly Connector[] = []): Connectors {
  const byName = new Map([...declared, ...inside].map((connector) => [connector.name, connector]))
  return {
    find: (name) => byName.get(name),
    all: () => declared,
    refusal: (connector) =>
      demonstration && !accepted && connector.kind !== 'file' && !inside.includes(connector)
        ? `connector ${connector.name} (${connector.kind}) refuses while all processes share one user: start Castellan as root, or accept it with isolation.accept_demonstration in castellan.yaml`
        : undefined,
  }
}

/** What connectors get of what this process holds. */
export interface ConnectorDeps {
  /** By their names. */
  readonly secrets: Readonly<Record<string, string>>
  /** This process's own, for what a connector keeps. */
  readonly folder: string
  /** The way into a mailbox. */
  entranceOf(account: ImapAccount): Entrance
}

/** The connector that a declaration names. */
export function openConnector(settings: ConnectorSettings, { secrets, entranceOf, folder }: ConnectorDeps): Connector {
  switch (settings.kind) {
    case 'file':
      return createFileConnector(settings)
    case 'smtp':
      return createSmtpConnector({
        ...settings,
        password: settings.password && { secret: settings.password.secret, value: secrets[settings.password.secret] },
        sent: settings.sent && createSentFolder(entranceOf(settings.sent.account), settings.sent.folder),
      })
    case 'imap':
      return createImapConnector(settings, entranceOf(settings.account))
    case 'webhook':
      return createWebhookConnector({ ...settings, secret: { secret: settings.secret.secret, value: secrets[settings.secret.secret] }, network: networkOf(settings) })
    case 'files':
      return createFilesConnector(settings)
    case 'shell':
      return createShellConnector({ ...settings, folder: join(folder, 'shell', settings.name) })
    case 'git': {
      const { password, private: isPrivate, ...rest } = settings
      return createGitConnector({ ...rest, isPrivate, folder: join(folder, 'git', settings.name), password: password && { secret: password.secret, value: secrets[password.secret] } })
    }
    case 'github':
      return createGithubConnector({ ...settings, token: { secret: settings.token.secret, value: secrets[settings.token.secret] }, network: networkOf(settings) })
    case 'telegram':
      return createTelegramConnector({ ...settings, token: { secret: settings.token.secret, value: secrets[settings.token.secret] }, network: networkOf(settings) })
    case 'caldav':
      return createCaldavConnector({ ...settings, password: { secret: settings.password.secret, value: secrets[settings.password.secret] }, network: networkOf(settings) })
    case 'listmonk':
      return createListmonkConnector({ ...settings, token: { secret: settings.token.secret, value: secrets[settings.token.secret] }, network: networkOf(settings) })
    case 'mastodon':
      return createMastodonConnector({ ...settings, token: { secret: settings.token.secret, value: secrets[settings.token.secret] }, network: networkOf(settings) })
    case 'http': {
      const { credential } = settings
      return createHttpRequestConnector({ ...settings, credential: credential && { ...credential, value: secrets[credential.secret] }, network: networkOf(settings) })
    }
  }
}

function networkOf({ private: isPrivate, ca }: { readonly private: boolean; readonly ca?: string }): Network {
  return { isPrivate, ca }
}
