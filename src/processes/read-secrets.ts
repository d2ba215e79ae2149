import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import type { Connector, House, SecretReference } from '../house/index.ts'
import { gateOf } from '../labels/index.ts'
import type { ProcessName } from './boot.ts'

/** The secrets that one process may hold: each gate the keys of its own upstreams and of who is told of calls, the releaser the passwords of mailboxes and connectors, the server what webhooks are verified by, the reader what sources are read with, the workers none. */
export function secretsOf(process: ProcessName, house: House, home: string): Record<string, string> {
  return readSecrets(home, process === 'releaser' ? ofReleaser(house) : process === 'server' ? ofListener(house) : process === 'reader' ? ofReader(house) : ofGate(process, house))
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
      return connector.password
    case 'webhook':
      return connector.secret
    case 'telegram':
    case 'github':
      return connector.token
    case 'http':
      return connector.credential
    case 'file':
    case 'files':
    case 'imap':
      return undefined
  }
}

function readSecrets(home: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = readSecret(home, name)
    return value === undefined ? [] : [[name, value]]
  }))
}

/** Reads `$CASTELLAN_HOME/secrets/NAME`. @returns undefined when there is none. @throws Fault `secret.mode` when others can read it */
export function readSecret(home: string, name: string): string | undefined {
  const path = join(home, 'secrets', name)
  try {
    if (statSync(path).mode & 0o077) {
      throw new Fault('refused', 'secret.mode', `the secret ${path} can be read by other users; run \`chmod 600 ${path}\``)
    }
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
