import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import type { House } from '../house/index.ts'
import { gateOf } from '../labels/index.ts'
import type { Credential, HouseDescription, UnitFolder, UnitProcess } from '../units/index.ts'
import { accountName, owners, type AccountOwner } from './accounts.ts'
import { processNames, type ProcessName } from './boot.ts'
import { doorOf, homeKey, sharedRuntime } from './folders.ts'
import { mayEnter, withoutNetwork } from './isolation.ts'
import { stopOrder } from './process-group.ts'
import { entry, isWanted, nodeFlags, source } from './process-specs.ts'
import { givenNames } from './read-secrets.ts'

/** Where secrets may be that no process of Castellan can read by itself; the first that is there counts. */
const stores = [
  { folder: '/etc/credstore.encrypted', encrypted: true },
  { folder: '/etc/credstore', encrypted: false },
] as const

export interface DescribeDeps {
  readonly home: string
  readonly house: House
  exists?(path: string): boolean
}

/** One house, as units have to know it: who runs as whom, sees which secrets, writes where, and reaches what. */
export function describeHouse({ home, house, exists = existsSync }: DescribeDeps): HouseDescription {
  const runtime = join(sharedRuntime, homeKey(home))
  const main = (flags: readonly string[]) => [process.execPath, ...nodeFlags(), join(source, 'bin', 'castellan.js'), 'up', '--home', home, '--house', house.folder, ...flags]
  const credentials = (names: readonly string[]) => names.flatMap((name) => credentialOf(home, name, exists) ?? [])
  return {
    home, house: house.folder, runtime, source,
    keeper: { command: main(['--units']), whole: main([]), network: house.settings.database.kind === 'urls', credentials: credentials(givenNames('up', house)) },
    processes: processNames.filter((name) => isWanted(name, house)).map((name): UnitProcess => ({
      name,
      command: [process.execPath, ...nodeFlags(name), entry, name, doorOf(runtime, name)],
      user: accountName(name),
      groups: (mayEnter[name] ?? []).map(accountName),
      network: networkOf(name, house),
      sandbox: sandboxes(name, house),
      writes: writesOf(name, house),
      reads: readsOf(name, house),
      credentials: credentials(givenNames(name, house)),
      outlivedBy: stopOrder.slice(stopOrder.findIndex((group) => group.includes(name)) + 1).flat(),
    })),
    users: owners.map(accountName),
    folders: foldersOf(home, runtime),
  }
}

/** A secret that is nowhere yet is left out: the unit starts, and the process says what it lacks. */
function credentialOf(home: string, name: string, exists: (path: string) => boolean): Credential | undefined {
  const places = [...storesOf(name), { path: join(home, 'secrets', name), encrypted: false }]
  const place = places.find(({ path }) => exists(path))
  return place && { name, ...place }
}

/** Where the system keeps a secret for units, if it does; processes that `up` starts by itself are not given it. */
export function storedAt(name: string, exists: (path: string) => boolean = existsSync): string | undefined {
  return storesOf(name).find(({ path }) => exists(path))?.path
}

function storesOf(name: string) {
  return stores.map(({ folder, encrypted }) => ({ path: join(folder, `castellan.${name}`), encrypted }))
}

function networkOf(name: ProcessName, { settings }: House): UnitProcess['network'] {
  if (withoutNetwork.has(name)) return 'none'
  const near = (url: string) => ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)
  if (name === 'server') return settings.webhooks.every((webhook) => webhook.kind !== 'gumroad') && settings.signing.origin === null ? 'loopback' : 'world'
  if (name === 'gate-local') return settings.telemetry.traces === null && settings.models.upstreams.every(({ zone, url }) => gateOf(zone) !== 'local' || near(url)) ? 'loopback' : 'world'
  return 'world'
}

/** Who runs commands makes namespaces for them. */
function sandboxes(name: ProcessName, { settings: { outbox, sources } }: House): boolean {
  if (name === 'releaser') return outbox.connectors.some(({ kind }) => kind === 'shell')
  return name === 'reader' ? sources.some(({ kind }) => kind === 'command') : name.startsWith('worker-')
}

/** The folders of the house that a process changes; their modes say that it may, the unit that nothing else is writable. */
function writesOf(name: ProcessName, { folder, settings: { folders, outbox } }: House): string[] {
  const paths = name === 'worker-private' ? folders.filter(({ access }) => access === 'write').map(({ path }) => path) : name === 'releaser' ? outbox.connectors.flatMap((connector) => {
    if (connector.kind === 'file') return [connector.path]
    if (connector.kind === 'files' || connector.kind === 'shell') return connector.folders.map(({ path }) => path)
    return connector.kind === 'git' && isAbsolute(connector.remote) ? [connector.remote] : []
  }) : []
  const outside = (path: string) => relative(folder, path).startsWith('..')
  // those in the house are made by `up`, perhaps after the unit has started
  return [...new Set(paths.map((path) => (outside(path) ? `-${path}` : folder)))]
}

/** Folders, mailboxes and repositories that may lie in somebody's home; programs of sources too. Those of commands are found by PATH, which leads to none. */
function readsOf(name: ProcessName, { settings: { folders, mail, outbox, sources } }: House): string[] {
  if (name === 'worker-private') return folders.map(({ path }) => path)
  if (name === 'reader') return sources.flatMap((source) => (source.kind === 'command' ? [source.argv[0]!] : []))
  if (name !== 'releaser') return []
  return [...mail.accounts.flatMap((account) => (account.kind === 'folder' ? [account.path] : [])), ...outbox.connectors.flatMap((connector) => (connector.kind === 'git' ? [connector.repository] : []))]
}

function foldersOf(home: string, runtime: string): UnitFolder[] {
  const of = (path: string, mode: number, owner?: AccountOwner, group = owner): UnitFolder => ({ path, mode, user: owner ? accountName(owner) : 'root', group: group ? accountName(group) : 'root' })
  const entered = new Set(Object.values(mayEnter).flat())
  return [
    of(home, 0o711), ...['operator', 'secrets', 'log'].map((name) => of(join(home, name), 0o700)), ...owners.map((owner) => of(join(home, owner), 0o700, owner)),
    of(dirname(runtime), 0o711), of(runtime, 0o711), of(join(runtime, 'database'), 0o711, 'database'),
    ...(['server', 'releaser', 'gate-local', 'gate-cloud', 'reader'] as const).map((name) => of(join(runtime, name), entered.has(name) ? 0o710 : 0o700, name)),
    ...processNames.map((name): UnitFolder => ({ path: dirname(doorOf(runtime, name)), mode: 0o710, user: 'root', group: accountName(name) })),
  ]
}
