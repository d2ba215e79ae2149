import { existsSync } from 'node:fs'
import { basename, isAbsolute } from 'node:path'
import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { Path, YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { readCertificates } from './read-certificates.ts'
import { builtInLanes } from './to-lanes.ts'

type Source = CastellanFile['sources'][string]

const placeholder = /\{([^{}]*)\}/g
/** Programs that start any other program: to allow one is to allow everything. */
const launchers = ['sh', 'bash', 'dash', 'zsh', 'fish', 'ksh', 'csh', 'tcsh', 'busybox', 'env', 'xargs', 'sudo', 'su', 'doas', 'ssh', 'nohup', 'setsid']

/** Sources of lanes that are not there, that would speak in the clear, that share a secret with what sends or with what reaches another host, or whose parameters lead nowhere. The certificates come back as PEM. */
export function checkSources(house: string, file: CastellanFile, source: YamlSource): { authorities: ReadonlyMap<string, string>; problems: Problem[] } {
  const problems: Problem[] = []
  const authorities = new Map<string, string>()
  const lanes = [...new Set([...Object.keys(file.lanes), ...builtInLanes])]
  const taken = secretsOfOthers(file)
  const owners = new Map<string, { name: string; reaches: string }>()
  for (const [name, declared] of Object.entries(file.sources)) {
    const at = ['sources', name]
    declared.lanes.forEach((lane, index) => {
      if (!lanes.includes(lane)) problems.push(source.problem([...at, 'lanes', index], `the lane ${lane} is not declared`, didYouMean(lane, lanes)))
    })
    const secret = declared.credential?.secret
    const other = secret === undefined ? undefined : taken.get(secret)
    if (other !== undefined) problems.push(source.problem([...at, 'credential', 'secret'], `the secret ${secret} is already that of ${other}`, 'make another one for this source, that can only read'))
    const reaches = destinationsOf(declared)
    const owner = secret === undefined ? undefined : owners.get(secret)
    if (secret !== undefined && owner === undefined) owners.set(secret, { name, reaches })
    if (owner !== undefined && owner.reaches !== reaches) {
      problems.push(source.problem([...at, 'credential', 'secret'], `the secret ${secret} is already that of the source ${owner.name}, which reaches ${owner.reaches} and not ${reaches}: it could be sent to the wrong one`, 'make one for each host'))
    }
    problems.push(...checkParameters(at, declared, source), ...(declared.kind === 'http' ? checkAddress(at, name, declared, source) : checkProgram(at, declared, source)))
    if (declared.kind === 'http' && declared.ca !== undefined) {
      const read = readCertificates(house, declared.ca)
      if ('pem' in read) authorities.set(name, read.pem)
      else problems.push(source.problem([...at, 'ca'], read.what, read.instead))
    }
  }
  if (Object.keys(file.sources).length > 0 && file.database !== 'embedded' && file.database.urls.reader === undefined) {
    problems.push(source.problem(['database', 'urls'], 'sources are declared, and their reader has no user in the database', 'write reader: { secret: database_reader }; `castellan database sql` prints what makes it', { at: 'key' }))
  }
  return { authorities, problems }
}

/** Who else holds which secret: most of them can send, and the others are nobody's business but their own. */
function secretsOfOthers({ outbox, mail, models, webhooks, telemetry, database }: CastellanFile): Map<string, string> {
  const taken = new Map<string, string>()
  const take = (owner: string, held: unknown): void => {
    if (typeof held !== 'object' || held === null) return
    for (const [key, value] of Object.entries(held)) {
      if (key === 'secret' && typeof value === 'string') taken.set(value, owner)
      else take(owner, value)
    }
  }
  for (const [name, one] of Object.entries(outbox.connectors)) take(`the connector ${name}`, one)
  for (const [name, one] of Object.entries(mail.accounts)) take(`the mail account ${name}`, one)
  for (const [name, one] of Object.entries(models.upstreams)) take(`the upstream ${name}`, one)
  for (const [name, one] of Object.entries(webhooks)) take(`the webhook ${name}`, one)
  take('telemetry', telemetry)
  take('the database', database)
  return taken
}

/** All that its secret can be sent to, in TLS unless it says otherwise. */
function destinationsOf(declared: Source): string {
  if (declared.kind === 'command') return [...new Set(declared.network)].toSorted().join(' ')
  const address = declared.url.replace(placeholder, 'x')
  if (!URL.canParse(address)) return address
  const { protocol, hostname, port } = new URL(address)
  return protocol === 'https:' ? `${hostname}:${port || 443}` : `http://${hostname}:${port || 80}`
}

/** Where parameters may stand: in the path, behind the `=` of a query, in an argument. */
function placesOf(declared: Source): [place: Path, text: string][] {
  if (declared.kind === 'http') return [[['url'], declared.url], ...Object.entries(declared.query).map(([key, text]): [Path, string] => [['query', key], text])]
  return declared.argv.slice(1).map((text, index): [Path, string] => [['argv', index + 1], text])
}

function checkParameters(at: Path, declared: Source, source: YamlSource): Problem[] {
  const names = Object.keys(declared.params)
  const used = new Set<string>()
  const problems = placesOf(declared).flatMap(([place, text]) =>
    [...text.matchAll(placeholder)].flatMap(([, name]) => {
      used.add(name!)
      return names.includes(name!) ? [] : [source.problem([...at, ...place], `{${name}} is no parameter of this source`, names.length === 0 ? 'declare it under params' : didYouMean(name!, names))]
    }))
  return [...problems, ...names.filter((name) => !used.has(name)).map((name) => source.problem([...at, 'params', name], `the parameter ${name} stands nowhere`, `write {${name}} where it goes, or take it out`, { at: 'key' }))]
}

function checkAddress(at: Path, name: string, { url, private: isPrivate }: Extract<Source, { kind: 'http' }>, source: YamlSource): Problem[] {
  const here = [...at, 'url']
  const plain = url.replace(placeholder, 'x')
  if (!URL.canParse(plain)) return [source.problem(here, `${url} is no address`, 'write e.g. https://api.example.org/v1/leads')]
  const { protocol, href, search, hash } = new URL(plain)
  if (search !== '' || hash !== '') return [source.problem(here, `${url} has more than a path`, 'write what stands behind the ? under query')]
  if (protocol !== 'https:' && !isPrivate) return [source.problem(here, `${name} would be asked over plain http across the internet`, 'write https://; or private: true, if it is a machine of your own network')]
  if (href !== plain && href !== `${plain}/`) return [source.problem(here, `${url} is read as ${href}`, 'write it as it is read')]
  return []
}

function checkProgram(at: Path, { argv }: Extract<Source, { kind: 'command' }>, source: YamlSource): Problem[] {
  const [program] = argv as [string]
  const here = [...at, 'argv', 0]
  if (!isAbsolute(program) || program.includes('{')) return [source.problem(here, `${program} is no absolute path`, 'write e.g. /usr/bin/vendor')]
  if (launchers.includes(basename(program))) return [source.problem(here, `${program} can start any other program`, 'name the program that you mean, or a script of your own')]
  return existsSync(program) ? [] : [source.problem(here, `there is no program ${program} on this machine`, 'install it, or correct the path', { severity: 'warning' })]
}
