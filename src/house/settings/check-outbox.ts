import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { Path, YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { isLoopback } from './check-models.ts'
import { readCertificates } from './read-certificates.ts'

/** Mail servers that a password would reach in the clear, half of a login, and mailboxes for copies that are none. The certificates come back as PEM. */
export function checkOutbox(house: string, file: CastellanFile, source: YamlSource): { authorities: ReadonlyMap<string, string>; problems: Problem[] } {
  const problems: Problem[] = []
  const authorities = new Map<string, string>()
  const mailboxes = Object.entries(file.mail.accounts).flatMap(([name, { kind }]) => (kind === 'imap' ? [name] : []))
  for (const [name, connector] of Object.entries(file.outbox.connectors)) {
    const at = ['outbox', 'connectors', name]
    const address = addressOf(connector)
    if (address) {
      problems.push(...checkAddress([...at, address.key], name, address, source))
      if (address.ca !== undefined) readAuthority(at, name, address.ca)
    }
    if (connector.kind === 'git') {
      const isPath = connector.remote.startsWith('/')
      if (!isPath) problems.push(...checkAddress([...at, 'remote'], name, { ...connector, url: connector.remote }, source))
      problems.push(...checkLogin(at, name, connector, source))
      if (isPath && connector.user !== undefined) problems.push(source.problem([...at, 'user'], `${name} would log in to a folder`, 'take user and password out, or write an address'))
      if (connector.ca !== undefined) readAuthority(at, name, connector.ca)
    }
    if (connector.kind === 'files' || connector.kind === 'shell') problems.push(...checkFolders(at, name, connector.folders, file, source))
    if (connector.kind !== 'smtp') continue
    const { host, security, ca, sent } = connector
    if (security === 'none' && !isLoopback(host) && host !== '::1') {
      problems.push(source.problem([...at, 'security'], `mail and password of ${name} would go to ${host} unencrypted`, 'write security: tls or security: starttls; none is for a server on this machine'))
    }
    problems.push(...checkLogin(at, name, connector, source))
    if (sent && !mailboxes.includes(sent.account)) {
      problems.push(source.problem([...at, 'sent', 'account'], `copies of what ${name} sends would go to the mailbox ${sent.account}, and no mail account of kind imap has that name`, didYouMean(sent.account, mailboxes)))
    }
    if (ca !== undefined) readAuthority(at, name, ca)
  }
  return { authorities, problems: [...problems, ...checkTell(file, source)] }

  function readAuthority(at: Path, name: string, ca: string): void {
    const read = readCertificates(house, ca)
    if ('pem' in read) authorities.set(name, read.pem)
    else problems.push(source.problem([...at, 'ca'], read.what, read.instead))
  }
}

/** What jobs say to the operator, and may say by a standing order, leads to nobody else: the number of a chat with one person is that of the person. */
function checkTell({ outbox: { tell, connectors } }: CastellanFile, source: YamlSource): Problem[] {
  if (tell === undefined) return []
  const at = ['outbox', 'tell']
  const connector = connectors[tell]
  if (!connector) return [source.problem(at, `jobs would tell you something by ${tell}, and no connector has that name`, didYouMean(tell, Object.keys(connectors)))]
  if (connector.kind === 'telegram' && /^[1-9]/.test(connector.chat)) return []
  return [source.problem(at, `jobs would tell you something by ${tell}, which does not lead to you alone`, 'name a connector of kind telegram whose chat is your own number')]
}

interface WrittenAddress {
  readonly kind: string
  /** Where it stands. */
  readonly key: string
  readonly url: string
  readonly private: boolean
  readonly ca?: string | undefined
}

/** The address that a connector is reached at by HTTP. */
function addressOf(connector: CastellanFile['outbox']['connectors'][string]): WrittenAddress | undefined {
  switch (connector.kind) {
    case 'webhook':
    case 'http':
    case 'listmonk':
      return { ...connector, key: 'url' }
    case 'telegram':
    case 'github':
      return { ...connector, key: 'api', url: connector.api }
    case 'mastodon':
      return { ...connector, key: 'instance', url: connector.instance }
    case 'caldav':
      return { ...connector, key: 'calendar', url: connector.calendar }
    default:
      return undefined
  }
}

function checkLogin(at: Path, name: string, { user, password }: { user?: string | undefined; password?: object | undefined }, source: YamlSource): Problem[] {
  if ((user === undefined) === (password === undefined)) return []
  return [source.problem(at, `${name} has ${user === undefined ? 'a password and no user' : 'a user and no password'}`, 'write user and password: { secret: NAME }, or neither', { at: 'key' })]
}

/** A connector changes no folder in which tools may not write either. */
function checkFolders(at: Path, name: string, folders: readonly string[], file: CastellanFile, source: YamlSource): Problem[] {
  return folders.flatMap((folder, index) => {
    const found = file.folders[folder]
    const here = [...at, 'folders', index]
    if (!found) return [source.problem(here, `${name} would change the folder ${folder}, which is not declared`, didYouMean(folder, Object.keys(file.folders)))]
    if (found.access !== 'write') return [source.problem(here, `${name} would change the folder ${folder}, which is only read`, `write access: write at folders.${folder}, or take it out here`)]
    return folders.indexOf(folder) === index ? [] : [source.problem(here, `${name} names the folder ${folder} twice`, 'remove one of them')]
  })
}

/** What is sent by HTTP across the internet is sent in TLS, to an address that means one thing. */
function checkAddress(at: Path, name: string, { kind, url, private: isPrivate }: Pick<WrittenAddress, 'kind' | 'url' | 'private'>, source: YamlSource): Problem[] {
  if (!URL.canParse(url)) return [source.problem(at, `${url} is no address`, 'write e.g. https://hooks.example.org/house')]
  const { protocol, href, hash, search } = new URL(url)
  if (kind !== 'webhook' && search !== '') return [source.problem(at, `${url} has a query, and every request begins with it`, 'write it without; a query is a part of each request')]
  if (protocol !== 'https:' && !isPrivate) return [source.problem(at, `${name} would be asked over plain http across the internet`, 'write https://; or private: true, if it is a machine of your own network')]
  if (href !== url && href !== `${url}/` || hash !== '') return [source.problem(at, `${url} is read as ${href}`, `write ${href.replace(hash, '')}`)]
  return []
}
