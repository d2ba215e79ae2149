import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import type { Connector, House, SecretReference } from '../house/index.ts'
import { gateOf } from '../labels/index.ts'
import type { ProcessName } from './boot.ts'

/** The secrets that one process may hold: each gate the keys of its own upstreams and of who is told of calls, the releaser the passwords of mailboxes and connectors, the server what webhooks are verified by, the reader what sources are read with, the workers none. */
export function secretsOf(process: ProcessName, house: House, home: string): Record<string, string> {
  return readSecrets(givenNames(process, house), (name) => readSecret(home, name))
}

/** The names of those that the house names. `up` itself holds those by which it joins a database of the operator's. */
export function secretNames(holder: ProcessName | 'up', house: House): string[] {
  if (holder === 'up') return ofDatabase(house)
  return [...new Set(holder === 'releaser' ? ofReleaser(house) : holder === 'server' ? ofListener(house) : holder === 'reader' ? ofReader(house) : ofGate(holder, house))]
}

function ofDatabase({ settings: { database } }: House): string[] {
  return database.kind === 'urls' ? Object.values(database.urls).flatMap((url) => (typeof url === 'object' ? [url.secret] : [])) : []
}

/** The same, as a unit provides them in a folder that systemd made for it. No folder: no secrets. */
export function credentialsOf(process: ProcessName, house: House, folder: string | undefined): Record<string, string> {
  return readSecrets(givenNames(process, house), (name) => credential(folder, name))
}

/** By this name the sealing key may be provided like any other secret; otherwise it is a file of the releaser's own folder, which it makes by itself. */
export const sealingKeySecret = 'sealing_key'

/** The names of all that a process is given where it is there; of these a unit is written. */
export function givenNames(holder: ProcessName | 'up', house: House): string[] {
  return holder === 'releaser' ? [sealingKeySecret, ...secretNames(holder, house)] : secretNames(holder, house)
}

function ofGate(process: ProcessName, { settings }: House): string[] {
  const traces = process.startsWith('gate-') && settings.telemetry.traces?.authorization ? [settings.telemetry.traces.authorization.secret] : []
  return [...traces, ...ofUpstreams(process, settings)]
}

function ofUpstreams(process: ProcessName, settings: House['settings']): string[] {
  return settings.models.upstreams.flatMap(({ zone, key }) => (key && process === `gate-${gateOf(zone)}` ? [key.secret] : []))
}

/** With none of them can anything be sent: they verify, and the token of a shop reads sales. */
function ofListener({ settings }: House): string[] {
  return settings.webhooks.flatMap((webhook) => [...webhook.secrets.map(({ secret }) => secret), ...(webhook.kind === 'gumroad' ? [webhook.token.secret] : [])])
}

/** By configuration none of them is also somebody else's: see house/settings/check-sources.ts. */
function ofReader({ settings }: House): string[] {
  return settings.sources.flatMap(({ credential }) => (credential ? [credential.secret] : []))
}

function ofReleaser({ settings }: House): string[] {
  return [
    ...settings.mail.accounts.flatMap((account) => (account.kind === 'imap' ? [account.password.secret] : [])),
    ...settings.outbox.connectors.flatMap((connector) => secretOf(connector)?.secret ?? []),
  ]
}

function secretOf(connector: Connector): SecretReference | undefined {
  switch (connector.kind) {
    case 'smtp':
    case 'git':
    case 'caldav':
      return connector.password
    case 'webhook':
      return connector.secret
    case 'telegram':
    case 'github':
    case 'mastodon':
    case 'listmonk':
      return connector.token
    case 'http':
      return connector.credential
    case 'file':
    case 'files':
    case 'shell':
    case 'imap':
      return undefined
  }
}

function readSecrets(names: readonly string[], read: (name: string) => string | undefined): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = read(name)
    return value === undefined ? [] : [[name, value]]
  }))
}

/** Reads `$CASTELLAN_HOME/secrets/NAME`. @returns undefined when there is none. @throws Fault `secret.mode` when others can read it */
export function readSecret(home: string, name: string): string | undefined {
  return readClosed(join(home, 'secrets', name), 0o077)
}

/** systemd lets the user of a unit read by an access list, which shows as a group's right: only a right of all others is one too many. */
export function credential(folder: string | undefined, name: string): string | undefined {
  return folder === undefined ? undefined : readClosed(join(folder, name), 0o007)
}

function readClosed(path: string, forbidden: number): string | undefined {
  try {
    if (statSync(path).mode & forbidden) {
      throw new Fault('refused', 'secret.mode', `the secret ${path} can be read by other users; run \`chmod 600 ${path}\``)
    }
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
